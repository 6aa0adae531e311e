// Listens to a channel with Microsoft's own client and prints what arrives.
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;

var url = Environment.GetEnvironmentVariable("SKUBBER_URL") ?? "http://127.0.0.1:5187";
var channel = Environment.GetEnvironmentVariable("SKUBBER_CHANNEL") ?? "my-channel";

// In an application this is your back end's part: it decides who gets a token, and the secret never leaves it.
async Task<string?> FetchToken()
{
    using var http = new HttpClient();
    var response = await http.PostAsJsonAsync($"{url}/api/auth/signalr-token", new
    {
        apiKey = Environment.GetEnvironmentVariable("SKUBBER_KEY"),
        apiSecret = Environment.GetEnvironmentVariable("SKUBBER_SECRET"),
    });
    response.EnsureSuccessStatusCode();
    return (await response.Content.ReadFromJsonAsync<TokenAnswer>())?.Token;
}

var connection = new HubConnectionBuilder()
    .WithUrl($"{url}/push", options => options.AccessTokenProvider = FetchToken)
    .WithAutomaticReconnect()
    .Build();

connection.On<Delivery>("Event", delivery =>
    Console.WriteLine($"{delivery.Channel} {delivery.Event} {delivery.Data}"));

// A connection that was made anew is subscribed to nothing.
connection.Reconnected += _ => connection.InvokeAsync("Subscribe", channel);

var closed = new TaskCompletionSource();
connection.Closed += error =>
{
    closed.TrySetResult();
    return Task.CompletedTask;
};

await connection.StartAsync();
await connection.InvokeAsync("Subscribe", channel);
Console.WriteLine($"Listening on {channel}");
await closed.Task;

record TokenAnswer(string Token);

// Publishers send a string; the data of client events may be any JSON.
record Delivery(string Event, string Channel, JsonElement Data);
