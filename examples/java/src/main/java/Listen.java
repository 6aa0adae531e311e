import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.microsoft.signalr.HubConnection;
import com.microsoft.signalr.HubConnectionBuilder;
import io.reactivex.rxjava3.core.Single;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.Semaphore;

/** Listens to a channel with Microsoft's own client and prints what arrives. */
public class Listen {
    static final String URL = System.getenv().getOrDefault("SKUBBER_URL", "http://127.0.0.1:5187");
    static final String CHANNEL = System.getenv().getOrDefault("SKUBBER_CHANNEL", "my-channel");

    /** What arrives with each event. Publishers send a string; the data of client events may be any JSON. */
    static class Delivery {
        String event;
        String channel;
        Object data;
    }

    public static void main(String[] arguments) throws InterruptedException {
        HubConnection connection = HubConnectionBuilder.create(URL + "/push")
            .withAccessTokenProvider(Single.fromCallable(Listen::fetchToken))
            .build();
        connection.on("Event", (delivery) ->
            System.out.println(delivery.channel + " " + delivery.event + " " + delivery.data), Delivery.class);

        Semaphore closed = new Semaphore(0);
        connection.onClosed((error) -> closed.release());
        // The Java client does not reconnect by itself. A connection that was made anew is subscribed to nothing.
        while (true) {
            try {
                connection.start().blockingAwait();
                connection.invoke("Subscribe", CHANNEL).blockingAwait();
                System.out.println("Listening on " + CHANNEL);
                closed.acquire();
            } catch (RuntimeException error) {
                System.err.println("Connecting again: " + error.getMessage());
            }
            Thread.sleep(2000);
        }
    }

    /** In an application this is your back end's part: it decides who gets a token, and the secret never leaves it. */
    static String fetchToken() throws IOException, InterruptedException {
        JsonObject credentials = new JsonObject();
        credentials.addProperty("apiKey", System.getenv("SKUBBER_KEY"));
        credentials.addProperty("apiSecret", System.getenv("SKUBBER_SECRET"));
        HttpRequest request = HttpRequest.newBuilder(URI.create(URL + "/api/auth/signalr-token"))
            .POST(HttpRequest.BodyPublishers.ofString(credentials.toString()))
            .build();
        String body = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        JsonObject answer = JsonParser.parseString(body).getAsJsonObject();
        if (!answer.has("token")) {
            throw new IOException(answer.get("error").getAsString());
        }
        return answer.get("token").getAsString();
    }
}
