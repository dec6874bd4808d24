/// Who is being given something in a turn of the engine: libcurl cuts what it reads at once into
/// pieces of 16 KiB, and says nothing of the last one.
///
/// Touched by the engine's thread alone.
final class TransferTurn {
  private var last: Transfer?

  /// A transfer is given something; the one before it has had all that there was.
  func gives(to transfer: Transfer) {
    if last === transfer { return }
    end()
    last = transfer
  }

  /// All have had what there was.
  func end() {
    last?.caughtUp()
    last = nil
  }
}
