import Access
import EventLoop
import Foundation
import Ingest
import TLS

/// `--demo`: the node publishes a test picture to itself, so that there is something to watch.
struct Demo {
  /// The wedding's name in addresses.
  static let wedding = "demo"
  /// How long the tokens in the banner are good for.
  private static let tokenSeconds: Int64 = 12 * 3_600

  let banner: Banner.Demo
  let options: PublishOptions

  /// Makes the addresses and tokens of the demonstration.
  ///
  /// - Throws: `StartFailure` where the node takes no RTMP.
  init(
    _ configuration: NodeConfiguration, _ listeners: NodeListeners, _ issuer: TokenIssuer
  ) throws(StartFailure) {
    guard let rtmp = listeners.rtmp else {
      throw StartFailure("--demo publishes over RTMP, and listen.rtmp is off")
    }
    let now = Int64(Date().timeIntervalSince1970)
    func token(_ scope: Scope, _ wedding: String) throws(StartFailure) -> String {
      do throws(KeyError) {
        return try issuer.token(
          Claims(
            scope: scope, wedding: wedding, plan: "premium", subject: "demo",
            expires: now + Self.tokenSeconds), issued: now)
      } catch {
        throw StartFailure("auth: \(error)")
      }
    }
    let own = try token(.publish, Self.wedding)
    do {
      options = PublishOptions(
        to: try RTMPAddress("rtmp://127.0.0.1:\(rtmp.address.port)/live/\(own)"))
    } catch {
      throw StartFailure("--demo: \(error)")
    }
    let mine = try token(.publish, "mine")
    let site = NodeAddresses.site(configuration, listeners) ?? ""
    let needsToken = configuration.access.watch == .token
    let query = needsToken ? "?token=\(try token(.watch, Self.wedding))" : ""
    banner = Banner.Demo(
      publish: NodeAddresses.publish(configuration, listeners).map {
        $0.replacing("TOKEN", with: mine)
      } + (needsToken ? [] : ["and watch it at \(site)/watch/mine"]),
      watch: "\(site)/watch/\(Self.wedding)\(query)")
  }
}
