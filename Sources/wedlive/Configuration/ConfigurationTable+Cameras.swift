extension ConfigurationTable {
  static let cameras: [ConfigurationKey] = [
    .value(
      "cameras.return", \.cameras.back, takes: "never, when_live, or after: and a duration",
      "Whether the program goes back to a camera that it left because it was lost: never, with its"
        + " first segment, or when it has been live for so long. Until then the live camera with the"
        + " highest priority is shown.",
      parse: { CameraBack($0) }, write: { "\($0)" }),
    .count(
      "cameras.free", \.cameras.free, in: 1...1_000,
      "How many cameras a wedding of the plan `free` has, its main one among them."),
    .count(
      "cameras.premium", \.cameras.premium, in: 1...1_000, "The same for the plan `premium`."),
    .duration(
      "cameras.ask_every", \.cameras.askEvery, in: .milliseconds(100)...(.seconds(60)),
      "How often an origin that has cameras of a wedding asks for its program, while another node has"
        + " that: so long nobody shows it where that node is lost."),
  ]
}
