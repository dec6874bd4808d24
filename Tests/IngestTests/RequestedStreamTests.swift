import TestSupport
import RTMP
import Testing

@testable import Ingest

@Suite struct `Requested stream` {
  private static let token = "eyJhbGciOiJIUzI1NiJ9.eyJ3ZWRkaW5nIjoidyJ9.c2ln-_x"

  private func requested(_ name: String, app: String = "live") -> RequestedStream {
    var object = AMFObject()
    object.append("app", .string(app))
    return RequestedStream(StreamName(name), connect: ConnectRequest(object))
  }

  private func expect(
    _ stream: RequestedStream, token: String?, wedding: String?, camera: String?,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(stream.token == token, sourceLocation: location)
    #expect(stream.wedding == wedding, sourceLocation: location)
    #expect(stream.camera == camera, sourceLocation: location)
  }

  @Test func `a token alone names its stream`() {
    expect(requested(Self.token), token: Self.token, wedding: nil, camera: nil)
    // GStreamer's and some phones' clients leave the slash on.
    expect(requested("/" + Self.token), token: Self.token, wedding: nil, camera: nil)
    expect(requested(Self.token + "?x=1"), token: Self.token, wedding: nil, camera: nil)
    #expect(requested(Self.token).key("program") == nil)
  }

  @Test func `one name alone may be a key that was mistyped`() {
    #expect(requested("anna-ben").mayBeKey)
    #expect(!requested(Self.token).mayBeKey)
    #expect(!requested("anna-ben?token=x").mayBeKey)
    #expect(!requested("anna-ben/c2").mayBeKey)
    #expect(!requested("").mayBeKey)
  }

  @Test func `a wedding, with or without its camera, and a token behind it`() {
    let t = Self.token
    expect(requested("w?token=\(t)"), token: t, wedding: "w", camera: nil)
    expect(requested("w/c2?token=\(t)"), token: t, wedding: "w", camera: "c2")
    expect(requested("/w/c2/?token=\(t)"), token: t, wedding: "w", camera: "c2")
    expect(requested("w%2Fc2?a=b&token=\(t)"), token: t, wedding: "w", camera: "c2")
    #expect(requested("w").key("program") == .named("w", "program"))
    #expect(requested("w/c2").key("program") == .named("w", "c2"))
  }

  @Test func `librtmp, ffmpeg and OBS put the wedding into the application`() {
    let t = Self.token
    // rtmp://host/live/w/c2?token=… : app live/w, name c2?token=…
    expect(requested("c2?token=\(t)", app: "live/w"), token: t, wedding: "w", camera: "c2")
    // OBS, server rtmp://host/live/w/ and key w?token=…
    expect(requested("w?token=\(t)", app: "live/"), token: t, wedding: "w", camera: nil)
    // A token as the key behind any server address.
    expect(requested(t, app: "live/w"), token: t, wedding: nil, camera: nil)
  }

  @Test func `the backend is told the whole path, as nginx-rtmp would`() {
    let t = Self.token
    #expect(requested("altar?x=1", app: "live/cb").path == "cb/altar")
    #expect(requested("altar?token=\(t)", app: "live/cb").path == "cb/altar")
    #expect(requested("cb/altar?token=\(t)").path == "cb/altar")
    #expect(requested("cb", app: "live/").path == "cb")
    #expect(requested("cb", app: "live?token=\(t)").path == "cb")
    #expect(requested(t, app: "live/w").path == t)
    #expect(requested("\(t)?x=1").path == t)
    #expect(requested("a/b", app: "live/w").path == "a/b")
    #expect(requested("").path == "")
  }

  @Test func `Larix and others put the token behind the application`() {
    let t = Self.token
    expect(requested("w", app: "live?token=\(t)"), token: t, wedding: "w", camera: nil)
    expect(requested("w?token=", app: "live?token=\(t)"), token: t, wedding: "w", camera: nil)
    expect(requested("c2", app: "live/w?token=\(t)"), token: t, wedding: "w", camera: "c2")
  }

  @Test(arguments: ["", "/", "?token=x", "..", "w/../c", "a/b/c", "w/c2/../..", "ä", "w c"])
  func `what names no stream has no key`(name: String) {
    #expect(requested(name).key("program") == nil)
  }

  @Test func `a name that looks like a token in part is a name`() {
    #expect(requested("eyJ").wedding == "eyJ")
    #expect(requested("eyJ.a").wedding == "eyJ.a")
    #expect(requested("xeyJ.a.b").wedding == "xeyJ.a.b")
  }
}
