import EventLoop
import HLS
import Media
import RTMP

/// A program that another node has brought so far.
extension Program {
  /// The edge of a camera that comes knows of more segments than that of the first one did, or of
  /// any.
  ///
  /// Once something is shown here, viewers have had its number.
  ///
  /// - Parameters:
  ///   - start: as it knows.
  ///   - pass: puts the lease here behind the one of which it knows, which is another node's for
  ///     sure where nobody has heard yet how far this one has come, or all that is made here has
  ///     larger numbers.
  func goOn(from start: ProgramStart, pass: (_ isAnothers: Bool) -> Void = { _ in }) {
    guard !isHandedOver else { return }
    let isUnheard = blindly.map { start.state.nextSequence <= $0 } ?? false
    pass(place == nil || isUnheard)
    let isNews = isUnheard && place == nil || start.isFurther(than: sequencer.state)
    guard let shown = start.shown, isNews, sequencer.begin(start.state, after: shown) else {
      return
    }
    if blindly != nil, choice.active == nil {
      choice.goOn(with: shown.camera, patience: Self.reunion(settings.streams))
      renditions.goOn()
    }
    blindly = nil
    place = ProgramPlace(start.state, shown)
    changed(nil)
    tell()
  }
}
