import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.ToNumberPolicy;
import com.microsoft.signalr.HttpHubConnectionBuilder;
import com.microsoft.signalr.HubConnection;
import com.microsoft.signalr.HubConnectionBuilder;
import com.microsoft.signalr.TransportEnum;
import io.reactivex.rxjava3.core.Completable;
import io.reactivex.rxjava3.core.Maybe;
import io.reactivex.rxjava3.core.Single;
import io.reactivex.rxjava3.disposables.Disposable;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Drives Microsoft's Java client for the tests: one JSON command a line in, one JSON message a line out.
 *
 * <p>The commands are those of {@code signalr.mjs}, as far as this client has what they ask for: no Server-Sent Events,
 * no reconnection, JSON only.
 */
public final class Driver {
    private static final List<String> TARGETS = List.of(
            "Event", "SubscriptionSucceeded", "SubscriptionError", "MemberAdded", "MemberRemoved", "Error");
    private static final Set<String> METHODS_WITH_RESULTS = Set.of("Subscribe", "SignIn");
    private static final Map<String, TransportEnum> TRANSPORTS = Map.of(
            "WebSockets", TransportEnum.WEBSOCKETS, "LongPolling", TransportEnum.LONG_POLLING);

    private final Gson gson = new GsonBuilder()
            .serializeNulls()
            .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
            .create();
    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final Map<String, HubConnection> connections = new HashMap<>();
    private final Map<String, Disposable> streams = new HashMap<>();

    public static void main(String[] arguments) throws IOException {
        Driver driver = new Driver();
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            driver.run(new Command(driver.gson.fromJson(line, Map.class)));
        }
        System.exit(0);
    }

    private void run(Command command) {
        Object id = command.parameters.get("id");
        Maybe.defer(() -> perform(command)).subscribe(
                result -> say("id", id, "result", result),
                error -> say("id", id, "error", String.valueOf(error.getMessage())),
                () -> say("id", id, "result", null));
    }

    private Maybe<Object> perform(Command command) {
        return switch (command.text("command")) {
            case "connect" -> connect(command);
            case "invoke" -> invoke(connection(command), command.text("method"), command.arguments());
            case "send" -> {
                connection(command).send(command.text("method"), command.arguments());
                yield Maybe.empty();
            }
            case "stream" -> stream(command);
            case "cancel" -> {
                streams.get(command.text("stream")).dispose();
                yield Maybe.empty();
            }
            case "state" -> Maybe.just(connection(command).getConnectionState().toString());
            case "stop" -> connection(command).stop().toMaybe();
            default -> throw new IllegalArgumentException("There is no command " + command.text("command"));
        };
    }

    private Maybe<Object> connect(Command command) {
        String client = command.text("client");
        HttpHubConnectionBuilder builder = HubConnectionBuilder.create(command.text("url"))
                .withTransport(TRANSPORTS.get(command.text("transport")));
        if (command.text("token") != null) {
            builder.withAccessTokenProvider(Single.just(command.text("token")));
        }
        if (command.parameters.get("serverTimeout") instanceof Number milliseconds) {
            builder.withServerTimeout(milliseconds.longValue());
        }
        HubConnection connection = builder.build();
        connections.put(client, connection);
        for (String target : TARGETS) {
            connection.on(
                    target,
                    argument -> say("client", client, "kind", "call", "target", target, "args", List.of(argument)),
                    Object.class);
        }
        connection.onClosed(error -> say(
                "client", client, "kind", "closed", "error", error == null ? null : error.getMessage()));
        Completable start = connection.start();
        return start.andThen(Maybe.fromCallable(connection::getConnectionId));
    }

    private Maybe<Object> invoke(HubConnection connection, String method, Object[] arguments) {
        if (METHODS_WITH_RESULTS.contains(method)) {
            return connection.invoke(Object.class, method, arguments).toMaybe();
        }
        return connection.invoke(method, arguments).toMaybe();
    }

    private Maybe<Object> stream(Command command) {
        String stream = command.text("stream");
        Disposable subscription = connection(command)
                .stream(Object.class, command.text("method"), command.arguments())
                .subscribe(
                        item -> say("stream", stream, "kind", "item", "item", item),
                        error -> say("stream", stream, "kind", "failed", "error", error.getMessage()),
                        () -> say("stream", stream, "kind", "complete"));
        streams.put(stream, subscription);
        return Maybe.empty();
    }

    private HubConnection connection(Command command) {
        return connections.get(command.text("client"));
    }

    /** Writes one message: names and values in turn. Called from any of the client's threads. */
    private synchronized void say(Object... members) {
        Map<String, Object> message = new LinkedHashMap<>();
        for (int position = 0; position < members.length; position += 2) {
            message.put((String) members[position], members[position + 1]);
        }
        out.println(gson.toJson(message));
    }

    /** What is to be done. */
    private record Command(Map<?, ?> parameters) {
        String text(String name) {
            return (String) parameters.get(name);
        }

        Object[] arguments() {
            return ((List<?>) parameters.get("args")).toArray();
        }
    }
}
