import Access
import Foundation

/// The secret that tokens are signed with: given, in a file, or made and kept in the data folder.
enum NodeSecret {
  /// Finds the secret.
  ///
  /// The data folder is made where it isn't there, and not held.
  ///
  /// - Returns: its bytes, and whether it was made just now.
  /// - Throws: `StartFailure` naming the file.
  static func load(
    _ configuration: NodeConfiguration
  ) throws(StartFailure) -> (secret: [UInt8], isNew: Bool) {
    if let secret = try given(configuration) { return (secret, false) }
    let folder = configuration.data.path
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw StartFailure("data.path: \(folder): can't be made")
    }
    do throws(SecretFile.Failure) {
      return try SecretFile(path: folder + "/secret").readOrMake()
    } catch {
      throw StartFailure("auth: \(error)")
    }
  }

  /// Finds the secret of a node that has run already; makes none, as no node would know it.
  ///
  /// - Throws: `StartFailure` naming the file.
  static func existing(_ configuration: NodeConfiguration) throws(StartFailure) -> [UInt8] {
    if let secret = try given(configuration) { return secret }
    let path = configuration.data.path + "/secret"
    // What can't be looked at may well be there: reading it says why that can't be.
    if unsafe access(path, F_OK) != 0, errno == ENOENT {
      throw StartFailure(
        "\(path): there is no secret yet; start the node once, or name its folder with --data or its"
          + " configuration with --config")
    }
    do throws(SecretFile.Failure) {
      return try SecretFile(path: path).read()
    } catch {
      throw StartFailure("auth: \(error)")
    }
  }

  /// The secret that the configuration holds or names.
  private static func given(
    _ configuration: NodeConfiguration
  ) throws(StartFailure) -> [UInt8]? {
    if let secret = configuration.auth.secret { return Array(secret.utf8) }
    guard let path = configuration.auth.secretFile else { return nil }
    do throws(StartFailure) {
      return try read(path)
    } catch {
      throw StartFailure("auth.secret_file: \(error)")
    }
  }

  /// Reads a file that the operator keeps; its mode is theirs, as secrets that are mounted into
  /// containers are readable by all.
  ///
  /// - Throws: `StartFailure` naming the file.
  static func read(_ path: String) throws(StartFailure) -> [UInt8] {
    if let problem = ReadableFile.problem(path) {
      throw StartFailure("\(path): \(problem)")
    }
    guard let data = try? Data(contentsOf: URL(filePath: path)) else {
      throw StartFailure("\(path): can't be read")
    }
    let secret = Array(String(decoding: data, as: UTF8.self).trimmingSpaces().utf8)
    guard ConfigurationRules.isSecret(String(decoding: secret, as: UTF8.self)) else {
      throw StartFailure(
        "\(path): expected at least \(ConfigurationRules.secretBytes) characters")
    }
    return secret
  }
}
