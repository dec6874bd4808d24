import ArgumentParser
import EventLoop
import Foundation
import TLS
import Testing

@testable import wedlive

@Suite struct `Node` {
  func withFolder(_ body: (String) async throws -> Void) async throws {
    let path = NSTemporaryDirectory() + "wedlive-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  @Test func `a data folder is its owner's alone, and held once`() async throws {
    try await withFolder { path in
      let folder = try DataFolder(path)
      _ = try DataFolder(path + "/a/b")
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
      #expect(mode as? Int == 0o700)
      let failure = #expect(throws: StartFailure.self) { _ = try DataFolder(path) }
      #expect(
        failure?.description
          == "data.path: \(path): another wedlive runs with this folder (process \(getpid())); end it, or give"
          + " this one another folder")
      withExtendedLifetime(folder) {}
    }
    for (path, words) in [
      ("/dev/null", "is a file, not a folder"),
      (
        "/dev/null/x",
        "can't be made: Not a directory; let this node's user write there, or name another folder with"
          + " data.path or --data"
      ),
    ] {
      let failure = #expect(throws: StartFailure.self) { _ = try DataFolder(path) }
      #expect(failure?.description == "data.path: \(path): \(words)")
    }
  }

  @Test(arguments: [".", "/", "..", "./", "//tmp"])
  func `a data folder that is there already may have any name`(path: String) {
    #expect(DataFolder.make(path) == 0)
  }

  @Test func `the folders above a data folder are made, however they are written`() async throws {
    try await withFolder { path in
      for name in ["a", "b//c/", "b/d/./e/"] {
        #expect(DataFolder.make(path + "/" + name) == 0)
        #expect(DataFolder.make(path + "/" + name) == 0)
        #expect(FileManager.default.fileExists(atPath: path + "/" + name))
      }
    }
  }

  @Test func `a self-signed certificate is made once, and again for another name`() async throws {
    try await withFolder { path in
      let folder = try DataFolder(path)
      let files = try folder.selfSignedCertificate(for: "localhost")
      let first = try Data(contentsOf: URL(filePath: files.certificate))
      _ = try folder.selfSignedCertificate(for: "localhost")
      #expect(try Data(contentsOf: URL(filePath: files.certificate)) == first)
      _ = try folder.selfSignedCertificate(for: "live.example.com")
      #expect(try Data(contentsOf: URL(filePath: files.certificate)) != first)
    }
  }

  @Test func `a secret is made once and kept`() async throws {
    try await withFolder { path in
      var configuration = NodeConfiguration()
      configuration.data.path = path
      #expect(throws: StartFailure.self) { try NodeSecret.existing(configuration) }
      let first = try NodeSecret.load(configuration)
      #expect(try NodeSecret.existing(configuration) == first.secret)
      #expect(first.isNew)
      let second = try NodeSecret.load(configuration)
      #expect(second.secret == first.secret)
      #expect(!second.isNew)
      let mode = try FileManager.default.attributesOfItem(atPath: path + "/secret")
      #expect(mode[.posixPermissions] as? Int == 0o600)
      configuration.auth.secretFile = path + "/secret"
      #expect(try NodeSecret.load(configuration).secret == first.secret)
      configuration.auth.secretFile = "/dev/null"
      #expect(throws: StartFailure.self) { try NodeSecret.load(configuration) }
    }
  }

  @Test func `each loop gets a socket on one free port`() throws {
    let sockets = try #require(
      try ListenerSockets.open("listen.rtmp", .on(host: "127.0.0.1", port: 0), count: 3))
    #expect(sockets.descriptors.count == 3)
    #expect(sockets.address.port != 0)
    let taken = Endpoint.on(host: "127.0.0.1", port: sockets.address.port)
    let failure = #expect(throws: StartFailure.self) {
      try ListenerSockets.open("listen.rtmp", taken, count: 1)
    }
    let words = try #require(failure?.description)
    #expect(words.hasPrefix("listen.rtmp: \(taken): the port is in use by "), "\(words)")
    #expect(words.contains(" (process \(getpid())); end what listens there"), "\(words)")
    for descriptor in sockets.descriptors { close(descriptor) }
    #expect(try ListenerSockets.open("listen.http", .off, count: 2) == nil)
  }

  @Test func `who listens at an address is in the kernel's list`() throws {
    func socket(_ address: String, _ state: String = "0A") -> PortHolder.Socket? {
      PortHolder.Socket(
        "  0: \(address) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000  0  0 77 1 0"
      )
    }
    let some = try #require(socket("0100007F:078F"))
    #expect((some.host, some.port, some.inode) == ("127.0.0.1", 1_935, "77"))
    for (host, isInTheWay) in [("127.0.0.1", true), ("0.0.0.0", true), ("127.0.0.2", false)] {
      let address = try #require(SocketAddress(host: host, port: 1_935))
      #expect(some.isInTheWay(of: address) == isInTheWay)
    }
    let elsewhere = try #require(SocketAddress(host: "127.0.0.1", port: 1_936))
    #expect(!some.isInTheWay(of: elsewhere))
    #expect(socket("00000000000000000000000001000000:0050")?.host == "::1")
    #expect(socket("00000000000000000000000000000000:0050")?.host == "::")
    for rubbish in ["", "0100007F", "0100007F:1078F", "x100007F:078F", "7F:078F"] {
      #expect(socket(rubbish) == nil, "\(rubbish)")
    }
    #expect(socket("0100007F:078F", "01") == nil)
    let nobody = try #require(SocketAddress(host: "127.0.0.1", port: 1_935))
    #expect(PortHolder.find(nobody, root: "/nowhere") == nil)
  }

  @Test func `descriptors go up to the hard limit, and what connections need is known`() {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    unsafe getrlimit(resource, &limit)
    limit.rlim_cur = min(limit.rlim_max - 1, 4_000)
    #expect(unsafe setrlimit(resource, &limit) == 0)
    let raised = DescriptorLimit.raise()
    unsafe getrlimit(resource, &limit)
    #expect(limit.rlim_cur == limit.rlim_max)
    #expect(raised == Int(clamping: limit.rlim_max))
    var configuration = NodeConfiguration()
    configuration.rtmp.maxConnections = 100
    configuration.http.maxConnections = 1_000
    #expect(DescriptorLimit.needed(configuration, loops: 4) == 4_400 + DescriptorLimit.others)
  }

  @Test func `a hangup or an upgrade asked for before the node is up ends nothing`() {
    StandaloneCommand.ignoreSignals()
    #expect(raise(SIGHUP) == 0)
    #expect(raise(SIGUSR2) == 0)
  }

  @Test func `an address that isn't ours is told`() {
    let failure = #expect(throws: StartFailure.self) {
      try ListenerSockets.open("listen.http", .on(host: "192.0.2.1", port: 8080), count: 1)
    }
    #expect(
      failure?.description == "listen.http: 192.0.2.1:8080: this machine has no such address")
  }

  @Test func `the banner says everything, and is plain where nobody looks`() {
    let banner = Banner(
      version: "1", node: "n", listeners: [.init(name: "RTMP", address: "[::]:1935")],
      publish: ["rtmp://h/live/TOKEN"], watch: ["https://h/watch/WEDDING"],
      status: "http://127.0.0.1:9113/", cipher: "ipsec-mb", certificate: "self-signed",
      dataPath: "data", demo: .init(publish: ["rtmp://h/live/x"], watch: "https://h/watch/demo"),
      warnings: ["mind the gap"])
    let plain = banner.text(on: Terminal(isInteractive: false, hasColor: false))
    #expect(
      plain == """

        wedlive 1  n

          listens     RTMP   [::]:1935
          publish     rtmp://h/live/TOKEN
          watch       https://h/watch/WEDDING
          status      http://127.0.0.1:9113/
          cipher      ipsec-mb
          certificate self-signed
          data        data

          A test picture is on air.

          watch it    https://h/watch/demo
          or publish  rtmp://h/live/x

          note: mind the gap


        """)
    let colored = banner.text(on: Terminal(isInteractive: true, hasColor: true))
    #expect(colored.contains("\u{1B}[1mwedlive 1\u{1B}[0m"))
    #expect(colored.replacing(/\u{1B}\[[0-9]+m/, with: "") == plain)
  }

  @Test(arguments: [
    ["publish"], ["watch", "--wedding", "../x"], ["service", "--expires", "soon"], ["admin"],
  ])
  func `tokens that would not be accepted aren't made`(arguments: [String]) {
    #expect(throws: (any Error).self) { try TokenCommand.parse(arguments) }
  }
}
