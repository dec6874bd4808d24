import Bytes
import Crypto
import Foundation

/// Makes stream keys of the secret that all nodes of a cluster share, so that each of them can make
/// each key again by its name alone: where the node that made it is dead and Redis away.
///
/// A name is the camera's, `-`, the second of its making (7 letters), 80 random bits (16), and a
/// code over all that and the wedding (8), which only who has the secret can make: a name of
/// another kind, another secret's or another wedding's is known as such, and never opened with a
/// wrong key.
package struct StreamKeyMaker: Sendable {
  /// A key, and what its name says.
  package struct Key: Sendable, Equatable {
    /// What it is asked for by; never used again.
    package let id: String
    /// 16.
    package let bytes: [UInt8]
    package let camera: String
    /// Milliseconds since 1970, of a whole second.
    package let created: Int64
  }

  private static let timeLetters = 7
  private static let randomLetters = 16
  private static let codeLetters = 8

  private let naming: SymmetricKey
  private let material: SymmetricKey

  /// Makes a maker.
  ///
  /// - Parameter secret: the same on all nodes of a cluster.
  package init(secret: [UInt8]) {
    let secret = SymmetricKey(data: secret)
    func key(_ purpose: String) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(
        inputKeyMaterial: secret, info: Data(purpose.utf8), outputByteCount: 32)
    }
    naming = key("wedlive names of stream keys")
    material = key("wedlive bytes of stream keys")
  }

  /// Makes a key.
  ///
  /// - Parameters:
  ///   - wedding: whose viewers may have it.
  ///   - camera: whose segments it is for.
  ///   - now: milliseconds since 1970.
  /// - Returns: a key that there was not before.
  package func make(wedding: String, camera: String, now: Int64) -> Key {
    let second = UInt64(clamping: now / 1000)
    let stem =
      "\(camera)-\(RandomName.of(second, Self.timeLetters))\(RandomName.make(Self.randomLetters))"
    return key(stem + code(wedding, stem), wedding, camera, second)
  }

  /// Makes a key that was made before, here or elsewhere.
  ///
  /// - Parameters:
  ///   - id: its name.
  ///   - wedding: whose it is said to be.
  /// - Returns: nil where no node with this secret has made one of that name for that wedding.
  package func again(_ id: String, wedding: String) -> Key? {
    let stem = id.dropLast(Self.codeLetters)
    let tail = stem.suffix(Self.timeLetters + Self.randomLetters)
    let camera = stem.dropLast(tail.count)
    guard camera.last == "-", let second = RandomName.value(of: tail.prefix(Self.timeLetters)),
      id.suffix(Self.codeLetters) == code(wedding, String(stem))
    else { return nil }
    return key(id, wedding, String(camera.dropLast()), second)
  }

  private func key(_ id: String, _ wedding: String, _ camera: String, _ second: UInt64) -> Key {
    Key(
      id: id, bytes: Array(Self.tag(material, wedding, id).prefix(16)), camera: camera,
      created: Int64(clamping: second) * 1000)
  }

  /// 40 bits: who guesses them has a key that nothing is encrypted with.
  private func code(_ wedding: String, _ stem: String) -> String {
    let tag = Self.tag(naming, wedding, stem)
    let value = tag.prefix(5).reduce(0) { $0 << 8 | UInt64($1) }
    return RandomName.of(value, Self.codeLetters)
  }

  /// No name has a slash in it.
  private static func tag(_ key: SymmetricKey, _ wedding: String, _ name: String) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Data("\(wedding)/\(name)".utf8), using: key))
  }
}
