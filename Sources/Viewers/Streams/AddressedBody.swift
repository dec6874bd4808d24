import HLS
import HTTPServer

/// A text with a viewer's query in its addresses, made as fast as the viewer reads.
final class AddressedBody: BodySource {
  /// What is made at once: as much as is sealed and sent together.
  private static let pieceBytes = 128 << 10

  private var pieces: AddressedText.Pieces

  init(_ pieces: AddressedText.Pieces) { self.pieces = pieces }

  override func next() -> BodyPiece {
    guard let piece = pieces.next(Self.pieceBytes) else { return .end }
    return .bytes(piece, 0..<piece.count)
  }
}
