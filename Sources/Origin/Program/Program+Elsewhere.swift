import Access
import EventLoop
import HLS
import Media
import RTMP
import Store

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
    isInherited = true
    place = ProgramPlace(start.state, shown)
    changed(nil)
    tell()
  }

  /// No camera will come back: its playlists say so.
  ///
  /// Where nothing has been shown here they are another node's, and so may be cameras of it: then
  /// nobody else may have one, or wait for one, for as long as publishers are waited for.
  func endIfOver() {
    guard !cameras.values.contains(where: \.isOpen), !renditions.isEnded, !isHandedOver,
      !heirs.areThere(now: milliseconds)
    else { return }
    let isUnseen = renditions.source == nil
    if renditions.end(now: now()) { show() }
    if !isOver || !isUnseen {
      outlet.over(key, sequencer.state)
      hub.ended(key)
    }
    isOver = true
    guard isUnseen, isInherited else { return }
    let names = Set(hub.cameras.cameras(of: wedding).map(\.id) + [Claims.mainCamera])
    outlet.whenOver(
      names.union(cameras.keys).sorted().compactMap { StreamKey(wedding: wedding, camera: $0) },
      for: settings.streams.reconnectWindow
    ) { [wedding, mailbox = loop.mailbox] in
      mailbox.submit { ProgramTable.on($0)[wedding]?.endUnseen() }
    }
  }

  /// Nobody has any camera of it any more: what another node has listed last of it was all.
  private func endUnseen() {
    guard isOver, renditions.source == nil, !renditions.isEnded, !isHandedOver else { return }
    renditions.endUnseen()
    show()
    tell()
  }
}
