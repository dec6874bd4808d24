import Telemetry

/// What is counted of a client: `wedlive_redis_…`.
final class RedisMetrics: Sendable {
  private let registry: MetricRegistry?
  let connected: Gauge
  let waitingCommands: Gauge
  let waitingBytes: Gauge
  let connections: Counter
  private let answered: Counter
  private let seconds: Histogram

  init(_ registry: MetricRegistry?) {
    self.registry = registry
    // Without a registry they are counted for nobody.
    let shown = registry ?? MetricRegistry()
    connected = shown.gauge(
      "wedlive_redis_connected", help: "Clients that have a connection to the primary.")
    waitingCommands = shown.gauge(
      "wedlive_redis_waiting_commands",
      help: "Commands that wait for a reply or for a connection.")
    waitingBytes = shown.gauge("wedlive_redis_waiting_bytes", help: "Bytes of those commands.")
    connections = shown.counter(
      "wedlive_redis_connections_total", help: "Connections that were opened to Redis.")
    answered = shown.counter(
      "wedlive_redis_commands_total", help: "Commands to Redis by how they ended.",
      labels: ["result": "answered"])
    seconds = shown.histogram(
      "wedlive_redis_command_seconds", help: "Time from a command to its reply.")
  }

  /// A connection or an attempt at one has ended.
  func lost(_ loss: RedisLoss) {
    registry?.counter(
      "wedlive_redis_losses_total", help: "Connections and attempts that ended, by reason.",
      labels: ["reason": loss.code]
    ).increment()
  }

  func answered(_ commands: Int, after duration: Duration?) {
    answered.add(commands)
    if let duration { seconds.observe(duration) }
  }

  func failed(_ commands: Int, _ error: RedisError) {
    registry?.counter(
      "wedlive_redis_commands_total", help: "Commands to Redis by how they ended.",
      labels: ["result": error.code]
    ).add(commands)
  }

  func dropped(_ messages: Int) {
    registry?.counter(
      "wedlive_redis_messages_dropped_total",
      help: "Messages of channels that were dropped because nobody read them in time."
    ).add(messages)
  }
}
