import Access
import HTTPClient
import Origin
import RTMP
import Telemetry

/// WedLive's backend as the configuration names it: asked about publishers and players, and told.
enum Backend {
  /// The hooks of the addresses that are configured; none costs nothing.
  ///
  /// - Throws: `StartFailure` where an address is none, or the client can't be made.
  static func hooks(
    _ section: CallbacksSection, metrics: MetricRegistry
  ) throws(StartFailure) -> BackendHooks {
    let configuration = try section.backend()
    guard !configuration.addresses.isEmpty else { return BackendHooks() }
    let callbacks: BackendCallbacks
    do throws(HTTPClientError) {
      callbacks = try BackendCallbacks(configuration, metrics: metrics)
    } catch {
      throw StartFailure("callbacks: \(error)")
    }
    return BackendHooks(
      onPublish: question(.publish, callbacks), onPublishDone: notice(.publishDone, callbacks),
      onPlay: question(.play, callbacks), onPlayDone: notice(.playDone, callbacks))
  }

  private static func question(
    _ kind: BackendCall.Kind, _ callbacks: BackendCallbacks
  ) -> BackendHooks.Question? {
    guard callbacks.isConfigured(kind) else { return nil }
    return { ask in
      switch await callbacks.send(call(kind, ask)) {
      // The token alone names the stream, so another name changes nothing.
      case .admitted, .renamed: nil
      case .refused(let refusal): refusal
      }
    }
  }

  private static func notice(
    _ kind: BackendCall.Kind, _ callbacks: BackendCallbacks
  ) -> BackendHooks.Notice? {
    guard callbacks.isConfigured(kind) else { return nil }
    return { ask in _ = await callbacks.send(call(kind, ask)) }
  }

  private static func call(_ kind: BackendCall.Kind, _ ask: ClientAsk) -> BackendCall {
    let raw = ask.name.raw
    let mark = raw.firstIndex(of: "?")
    return BackendCall(
      kind, app: ask.app, name: ask.path, address: ask.address,
      flashVersion: ask.flashVersion, swfURL: ask.swfUrl, tcURL: ask.tcUrl, pageURL: ask.pageUrl,
      clientID: ask.clientID, arguments: mark.map { String(raw[$0...].dropFirst()) } ?? "")
  }
}
