/// `access`: who may watch.
struct AccessSection: Equatable, Sendable {
  enum Watch: String, CaseIterable, Sendable { case `public`, token }

  var watch = Watch.public
  /// How many verified tokens one loop remembers.
  var rememberedTokens = 16_384
  /// For how many viewers at least it is remembered which quality they chose.
  var rememberedChoices = 50_000
}
