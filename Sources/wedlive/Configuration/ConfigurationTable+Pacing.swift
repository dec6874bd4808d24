extension ConfigurationTable {
  static let pacing: [ConfigurationKey] = [
    rate("free", \.pacing.free), rate("premium", \.pacing.premium),
    .size(
      "pacing.burst", \.pacing.burst, in: 4 << 10...1 << 30,
      "What such a connection may be sent at once beyond that."),
    .value(
      "pacing.live", \.pacing.live, takes: "0, or a number from 105 to 1000",
      "At how many hundredths of its quality's bit rate a live segment is sent, such as 120: bandwidth"
        + " is even then, but players that measure it see no more than that, and stay at their quality."
        + " 0: as fast as may be.",
      parse: { text in Int(text).flatMap { $0 == 0 || (105...1_000).contains($0) ? $0 : nil } },
      write: { "\($0)" }),
    .duration(
      "pacing.start", \.pacing.start, in: .zero...(.seconds(600)),
      "How much of a live stream a new connection is sent beyond that, so that it starts at once."),
  ]

  private static func rate(
    _ plan: String, _ target: ConfigurationKey.Path<Int>
  ) -> ConfigurationKey {
    .value(
      "pacing.\(plan)", target, takes: "0, or bits a second from 64k to 1000m, such as 8m",
      "How fast a connection of a viewer with the plan `\(plan)` is sent segments and recordings; 0: as"
        + " fast as may be.",
      parse: { text in
        BitrateText.parse(text).flatMap { $0 == 0 || $0 >= 64_000 ? $0 : nil }
      }, write: { BitrateText.format($0) })
  }
}
