import Foundation
import Storage
import Testing

@testable import wedlive

@Suite struct `Faults of a configuration`: ConfigurationTexts {
  @Test func `all faults are told at once, each with its line`() throws {
    let found = try faults(
      """
      listen:
        htps: 443
        http: eighty
      streams:
        fragment: 3
      strems:
        window: 9s
      tls: on
      log:
        level: loud
      """)
    #expect(
      Set(found) == [
        "f:2: listen.htps: no such key; did you mean listen.https?",
        "f:3: listen.http: \"eighty\" is unfit; expected a port, host:port or off (port 0 takes a free one)",
        "f:5: streams.fragment: \"3\" is unfit; expected a duration from 1s to 30s, such as 3s",
        "f:6: strems: no such section; did you mean streams?",
        "f:8: tls: expected keys under it, such as tls.certificate",
        "f:10: log.level: \"loud\" is unfit; expected trace, debug, info, notice, warning, error or critical",
      ])
  }

  @Test func `values that contradict each other are told beside other faults`() throws {
    let found = try faults(
      """
      rtmp:
        ping: 50s
        silence: 10s
        max_message: 1t
        max_buffered: 1m
      streams:
        window: 2s
        memory: 1m
      listen:
        http: 1935
        https: x
      tls:
        key: /nowhere/k.pem
      """)
    #expect(
      Set(found) == [
        "f:3: rtmp.silence: must be more than rtmp.ping",
        "f:4: rtmp.max_message: \"1t\" is unfit; expected a size in bytes from 64k to 16m, such as 16m",
        "f:7: streams.window: \"2s\" is unfit; expected a duration from 6s to 1h, such as 3s",
        "f:8: streams.memory: must be 64m or more: a segment may be that large",
        "f:10: listen.http: port 1935 is that of listen.rtmp too",
        "f:11: listen.https: \"x\" is unfit; expected a port, host:port or off (port 0 takes a free one)",
        "f:13: tls.key: needs tls.certificate beside it",
        "f:13: tls.key: /nowhere/k.pem: there is no such file",
      ])
    #expect(found.count == 8)
  }

  @Test func `sections within sections are read, and what they need is asked for`() throws {
    let text = """
      storage:
        kind: s3
        s3:
          bucket: weddings
          access_key: a
          secret_key: b
          part_size: 6m
        telegram:
          chat_id: -1001234567890
      """
    let configuration = try withFile(text) { path in
      try ConfigurationLoader(
        file: path, environment: ["WEDLIVE_STORAGE_S3_REGION": "eu-west-3"]
      ).load()
    }
    #expect(configuration.storage.kind == .s3)
    #expect(configuration.storage.s3.bucket == "weddings")
    #expect(configuration.storage.s3.partSize == 6 << 20)
    #expect(configuration.storage.s3.region == "eu-west-3")
    #expect(configuration.storage.telegram.chatID == "-1001234567890")
    #expect(try NodeStorage.open(configuration)?.kind == .s3)
    #expect(
      try faults("storage:\n  s4:\n    bucket: x\n  s3:\n    buckt: x\n  telegram: 1\n") == [
        "f:2: storage.s4: no such section; did you mean storage.s3?",
        "f:5: storage.s3.buckt: no such key; did you mean storage.s3.bucket?",
        "f:6: storage.telegram: expected keys under it, such as storage.telegram.api",
      ])
    #expect(
      try faults("storage:\n  kind: telegram\n") == [
        "f:2: storage.kind: telegram needs storage.telegram.chat_id beside it",
        "f:2: storage.kind: telegram needs storage.telegram.bot_token beside it",
      ])
    #expect(
      try faults(
        "storage:\n  s3:\n    secret_key: x\n    secret_key_file: /dev/null\n"
      ).count == 1)
  }

  @Test(arguments: [
    // The default of the window would be too short, that of the ping too long.
    ("streams:\n  fragment: 20s\n  windw: 2m\n", [:], 1),
    ("streams:\n  fragment: 20s\n", ["WEDLIVE_STREAMS_WINDW": "2m"], 1),
    ("rtmp:\n  silence: 10s\n  ping: soon\n", [:], 1),
    ("rtmp: 1\n", ["WEDLIVE_RTMP_SILENCE": "10s"], 1),
    ("a: [\n", ["WEDLIVE_STREAMS_FRAGMENT": "20s", "WEDLIVE_LISTEN_HTTP": "1935"], 1),
    ("a: [\n", ["WEDLIVE_STREAMS_FRAGMENT": "20s", "WEDLIVE_STREAMS_WINDOW": "1m"], 2),
  ])
  func `nothing is said of defaults that stand in for what couldn't be read`(
    text: String, environment: [String: String], count: Int
  ) throws {
    let found = try faults(text, environment: environment)
    #expect(found.count == count, "\(found)")
  }

  @Test(arguments: [
    ("auth:\n  jwks: FILE\n", "auth.jwks: FILE: this is not a JSON Web Key Set"),
    ("auth:\n  secret_file: FILE\n", "auth.secret_file: FILE: expected at least 16 characters"),
  ])
  func `files that hold something else are told`(text: String, start: String) async throws {
    try await withFile("not this") { path in
      try await withFile(text.replacing("FILE", with: path)) { file in
        let reading = ConfigurationLoader(file: file, environment: [:]).read()
        #expect(reading.faults.isEmpty)
        let faults = await ConfigurationContents(reading).faults.map(\.description)
        let wanted = "\(file):2: " + start.replacing("FILE", with: path)
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix(wanted) == true, "\(faults)")
      }
    }
  }

  @Test func `what a CDN lacks is said once`() async throws {
    let text = "cdn:\n  provider: cloudfront\n  cloudfront:\n    distribution: E1\n"
    try await withFile(text) { file in
      let reading = ConfigurationLoader(file: file, environment: [:]).read()
      #expect(reading.faults.count == 2)
      #expect(await ConfigurationContents(reading).faults.isEmpty)
    }
  }

  @Test func `key sets and secrets that are right are no fault`() async throws {
    let set = """
      {"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
      """
    try await withFile(set) { path in
      let text = "auth:\n  jwks: \(path)\n  secret_file: \(path)\n"
      try await withFile(text) { file in
        let reading = ConfigurationLoader(file: file, environment: [:]).read()
        #expect(reading.faults.isEmpty)
        #expect(await ConfigurationContents(reading).faults.isEmpty)
      }
    }
  }

  @Test(arguments: [
    ("encoder: nope", "transcode.encoder: nope: libavcodec has no encoder nope"),
    ("encoder: aac", "transcode.encoder: aac: libavcodec has no encoder aac"),
    ("encoder: libx265", "transcode.encoder: libx265: encodes hevc, not H.264"),
    ("preset: quick", "transcode.preset: quick: opening libx264"),
    ("tune: best", "transcode.tune: best: opening libx264"),
    ("preset: fast", nil), ("tune: film", nil), ("threads: 2", nil),
  ])
  func `an encoder that no worker could use is refused where there are workers`(
    line: String, start: String?
  ) throws {
    #expect(try faults("transcode:\n  \(line)\n").isEmpty)
    let found = try faults("transcode:\n  enabled: true\n  \(line)\n")
    #expect(found.count == (start == nil ? 0 : 1), "\(found)")
    if let start { #expect(found.first?.hasPrefix("f:3: \(start)") == true, "\(found)") }
  }

  @Test func `a list where there should be none is told once`() throws {
    #expect(
      try faults("listen:\n  rtmp: [1, 2]\n") == [
        "f:2: listen.rtmp: expected a port, host:port or off (port 0 takes a free one), not a list"
      ])
  }

  @Test func `a certificate is held against its key beside other faults`() async throws {
    try await withFile("no certificate") { path in
      let text = "tls:\n  certificate: \(path)\n  key: \(path)\nstreams:\n  memory: 1m\n"
      try await withFile(text) { file in
        let reading = ConfigurationLoader(file: file, environment: [:]).read()
        #expect(reading.faults.map(\.key) == ["streams.memory"])
        let contents = await ConfigurationContents(reading)
        #expect(contents.faults.map(\.key) == ["tls.certificate", "tls.key"])
        #expect(contents.faults.first?.place == .file(file, line: 2))
      }
    }
  }

  @Test(arguments: [
    ("tls:\n  certificate: PATH\n  key: /nowhere/k.pem\n", ["tls.key"], ["tls.certificate"]),
    ("tls:\n  certificate: PATH\n", ["tls.certificate"], ["tls.certificate"]),
    ("tls:\n  certificate: /nowhere/c.pem\n  key: PATH\n", ["tls.certificate"], ["tls.key"]),
    (
      "listen:\n  peers: 8444\ncluster:\n  certificate: PATH\n  key: PATH\n  ca: /nowhere/ca.pem\n",
      ["cluster.ca"], ["cluster.certificate", "cluster.key"]
    ),
  ])
  func `a certificate or key that is none is told where the other file is at fault, too`(
    text: String, faults: [String], contents: [String]
  ) async throws {
    try await withFile("no certificate") { path in
      try await withFile(text.replacing("PATH", with: path)) { file in
        let reading = ConfigurationLoader(file: file, environment: [:]).read()
        #expect(reading.faults.map(\.key) == faults)
        #expect(await ConfigurationContents(reading).faults.map(\.key) == contents)
      }
    }
  }

  @Test(arguments: [
    ("node:\n  id: [a, b]\n", "f:2: node.id: expected 1 to 64"),
    ("node:\n  id:\n", "f:2: node.id: has no value; expected 1 to 64"),
    ("node:\n  id:\n    x: 1\n", "f:2: node.id: expected 1 to 64"),
    ("- a\n", "f:1: expected sections of keys"),
    ("hello\n", "f:1: expected sections of keys"),
    ("a: [\n", "f:2: isn't YAML: "),
    ("a:\n\tb: 1\n", "f:2: isn't YAML: "),
    ("log:\n  level: info\nlog:\n  level: info\n", "f:1: log is there twice"),
    ("proxy_protocol:\n  trusted: [{a: 1}]\n", "f:2: proxy_protocol.trusted: expected addresses"),
    ("proxy_protocol:\n  trusted: [10.0.0.0/33]\n", "f:2: proxy_protocol.trusted: "),
    ("streams:\n  window: 17s\n", "f:2: streams.window: a window has at least 6 fragments"),
    ("streams:\n  fragment: 30s\n", "f:2: streams.fragment: a window has at least 6 fragments"),
    ("listen:\n  http: 1935\n", "f:2: listen.http: port 1935 is that of listen.rtmp too"),
    ("tls:\n  key: /nowhere/k.pem\n", "f:2: tls.key: needs tls.certificate beside it"),
    ("auth:\n  jwks: /nowhere/keys\n", "f:2: auth.jwks: /nowhere/keys: there is no such file"),
    ("auth:\n  jwks: /tmp\n", "f:2: auth.jwks: /tmp: is a folder, not a file"),
    ("auth:\n  jwks: http://a/b\n", "f:2: auth.jwks: http://a/b: the key set must be a file or an"),
    (
      "auth:\n  jwks: https://u:hunter2@a/b?token=S\n",
      "f:2: auth.jwks: https://a/b: the key set's address can't hold"
    ),
    ("auth:\n  jwks: ftp://a/b\n", "f:2: auth.jwks: ftp://a/b: the key set must be a file or an"),
    ("auth:\n  jwks: /dev/null\n", "f:2: auth.jwks: /dev/null: is no regular file"),
    (
      "tls:\n  certificate: /dev/null\n  key: /dev/null\n",
      "f:2: tls.certificate: /dev/null: is no regular file"
    ),
    ("rtmp:\n  max_message: 17m\n", "f:2: rtmp.max_message: \"17m\" is unfit; expected a size"),
    ("rtmp:\n  silence: 10s\n", "f:2: rtmp.silence: must be more than rtmp.ping"),
    ("callbacks:\n  on_publish: ftp://a\n", "f:2: callbacks.on_publish: \"ftp://a\" is unfit"),
    ("streams:\n  port: 1\n", "f:2: streams.port: no such key"),
  ])
  func `a wrong file is refused with the place`(text: String, start: String) throws {
    let found = try faults(text)
    #expect(found.contains { $0.hasPrefix(start) }, "\(found)")
  }

  @Test func `memory for streams is enough for one, or left to the node`() throws {
    #expect(
      try faults("streams:\n  memory: 63m\n")
        == ["f:2: streams.memory: must be 64m or more: a segment may be that large"])
    #expect(try faults("streams:\n  memory: 0\n").isEmpty)
    #expect(try load(nil, environment: ["WEDLIVE_STREAMS_MEMORY": "4g"]).streams.memory == 4 << 30)
  }

  @Test func `a file that isn't there is named`() {
    let found = ConfigurationLoader(file: "/nowhere/w.yaml", environment: [:]).check().1
    #expect(found.map(\.description) == ["/nowhere/w.yaml: there is no such file"])
  }

  @Test func `an unknown variable of ours is refused, one of others isn't`() {
    let found = ConfigurationLoader(
      file: nil, environment: ["WEDLIVE_LISTEN_HTPS": "1", "WEDDING": "2"]
    ).check().1
    #expect(
      found.map(\.description) == [
        "environment variable WEDLIVE_LISTEN_HTPS: no such key; did you mean WEDLIVE_LISTEN_HTTPS?"
      ])
  }

  @Test func `a secret is never shown`() throws {
    let found = try faults("auth:\n  secret: hunter2\n")
    #expect(found == ["f:2: auth.secret: the value is unfit; expected at least 16 characters"])
  }

  @Test func `two secrets are refused`() throws {
    let found = try faults(
      "auth:\n  secret_file: /dev/null\n",
      environment: ["WEDLIVE_AUTH_SECRET": String(repeating: "s", count: 32)])
    #expect(found.contains { $0.contains("give one of them") })
  }
}
