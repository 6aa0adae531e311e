// Listens to a channel with Microsoft's own client and prints what arrives.
import * as signalR from "@microsoft/signalr";

const url = process.env.SKUBBER_URL ?? "http://127.0.0.1:5187";
const channel = process.env.SKUBBER_CHANNEL ?? "my-channel";

// In an application this is your back end's part: it decides who gets a token, and the secret never leaves it.
async function fetchToken() {
  const response = await fetch(`${url}/api/auth/signalr-token`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ apiKey: process.env.SKUBBER_KEY, apiSecret: process.env.SKUBBER_SECRET }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.error} (${answer.code})`);
  return answer.token;
}

const connection = new signalR.HubConnectionBuilder()
  .withUrl(`${url}/push`, { accessTokenFactory: fetchToken })
  .withAutomaticReconnect()
  .build();

connection.on("Event", ({ channel, event, data }) => console.log(channel, event, data));
connection.on("SubscriptionSucceeded", ({ channel }) => console.log(`Listening on ${channel}`));
connection.on("SubscriptionError", ({ channel, error }) => console.error(`${channel}: ${error}`));

// A connection that was made anew is subscribed to nothing.
connection.onreconnected(() => connection.send("Subscribe", channel));
connection.onclose((error) => process.exit(error ? 1 : 0));

await connection.start();
await connection.invoke("Subscribe", channel);
