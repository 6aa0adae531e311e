// Added to a page behind @microsoft/signalr: clients as an application has them, whose words are kept for the test.
window.clients = {};

async function fetchToken(server, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${server}/api/auth/signalr-token`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()).token;
}

window.connect = async ({ client, server, tokenRequest, transport, protocol, channel, resume }) => {
  const token = await fetchToken(server, tokenRequest);
  const url = `${server}/push?userId=${client}&access_token=${token}`;
  const builder = new signalR.HubConnectionBuilder()
    .withUrl(url, { transport: signalR.HttpTransportType[transport] })
    .withAutomaticReconnect(Array(200).fill(100))
    .configureLogging(signalR.LogLevel.None);
  if (protocol === "messagepack") builder.withHubProtocol(new signalR.protocols.msgpack.MessagePackHubProtocol());
  if (resume) builder.withStatefulReconnect();
  const connection = builder.build();
  const kept = { connection, received: [], members: [], reconnections: 0 };
  window.clients[client] = kept;
  connection.on("Event", (event) => void kept.received.push(event.data));
  connection.on("MemberAdded", (member) => void kept.members.push(member.userId));
  connection.on("MemberRemoved", (member) => void kept.members.push(`-${member.userId}`));
  connection.on("SubscriptionSucceeded", () => {});
  connection.onreconnected(async () => {
    await connection.invoke("Subscribe", channel);
    kept.reconnections += 1;
  });
  await connection.start();
  return connection.invoke("Subscribe", channel);
};
