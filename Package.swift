// swift-tools-version: 6.2
import PackageDescription

/// Set by `make fuzz`: our modules are then built with libFuzzer's coverage counters.
let isFuzzing = Context.environment["WEDLIVE_FUZZ"] != nil

let swiftSettings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ] + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])

/// A target of the house; its tests, where it has any, stand in `Tests/<name>Tests`.
func room(
  _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil
) -> [Target] {
  [
    .target(
      name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
  ]
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> [Target] {
  [
    .testTarget(
      name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies,
      swiftSettings: swiftSettings)
  ]
}

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

// Floor 0: C libraries. One target alone imports each but CLinux.
let floor0: [Target] = [
  .systemLibrary(name: "CLinux"),
  .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(
    name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
  .systemLibrary(
    name: "CFFmpeg",
    pkgConfig: "libavcodec libavfilter libavformat libavutil libswscale libswresample",
    providers: [
      .apt([
        "libavcodec-dev", "libavfilter-dev", "libavformat-dev", "libavutil-dev",
        "libswscale-dev", "libswresample-dev",
      ])
    ]),
  .systemLibrary(
    name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
  // Without pkgConfig: hiredis.pc has a -D that SwiftPM warns of, and nothing else that is needed.
  .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
]

// Floor 1: what every protocol is made of.
let floor1: [Target] =
  room("Bytes")
  + room("EventLoop", ["Bytes", "CLinux"])
  + room("Media", ["Bytes"])
  + room("Telemetry", ["Bytes", "CLinux", log])
  + room("HTTPSemantics", ["Bytes"])
  + room("Events", ["Telemetry"])

// Floor 2: protocols. Bytes in, events out; no socket.
let floor2: [Target] =
  room("RTMP", ["Bytes", "Media"])
  + room("HTTP1", ["Bytes", "HTTPSemantics"])
  + room("HTTP2", ["Bytes", "HTTPSemantics", "Telemetry", "CNGHTTP2"])
  + room("TLS", ["Bytes", "COpenSSL"])
  + room("HLS", ["Bytes", "Media", "CZlib"])

// Floor 3: sockets meet protocols.
let floor3: [Target] =
  room(
    "HTTPServer",
    [
      "Bytes", "EventLoop", "Telemetry", "HTTPSemantics", "HTTP1", "HTTP2", "TLS", httpTypes,
    ])
  + room("Ingest", ["Bytes", "EventLoop", "Telemetry", "Media", "RTMP", "TLS"])
  + room(
    "HTTPClient", ["Bytes", "EventLoop", "Telemetry", "HTTPSemantics", "CCurl", httpTypes])
  + room("Transcode", ["Bytes", "Media", "CFFmpeg", "CLinux"])
  + room("Redis", ["Bytes", "EventLoop", "Telemetry", "TLS", "CHiredis", crypto])
  + room("Cache", ["Bytes", "CLinux", "HTTPSemantics", "Telemetry", httpTypes])
  + room("Store", [grdb])
  + room("Storage", ["Bytes", "HTTPClient", "Telemetry", crypto, httpTypes])

// Floor 4: services.
let floor4: [Target] =
  room(
    "Access",
    [
      "Bytes", "HTTPClient", "Telemetry", log, httpTypes,
      .product(name: "JWTKit", package: "jwt-kit"),
      .product(name: "Crypto", package: "swift-crypto"),
    ])
  + room(
    "ControlAPI",
    [
      "Access", "EventLoop", "HTTPServer", "HTTPSemantics", "Telemetry", "Store", log, httpTypes,
    ])
  + room("Operator", ["EventLoop", "HTTPSemantics", "HTTPServer", "Telemetry", httpTypes])
  + room(
    "Recording",
    ["Bytes", "Media", "HLS", "Telemetry", "Events", "Store", "Storage", "Transcode", log])
  + room(
    "Viewers",
    [
      "Bytes", "EventLoop", "Telemetry", "Media", "HLS", "HTTPServer", "HTTPSemantics", "Storage",
      "Access", "ControlAPI", "Operator", "Recording", httpTypes,
    ])
  + room(
    "Cluster",
    ["Bytes", "EventLoop", "Telemetry", "HTTPClient", "Redis", crypto, httpTypes, log])
  + room(
    "CDN",
    [
      "Bytes", "HTTPClient", "HTTPSemantics", "Redis", "Storage", "Store", "Telemetry", crypto,
      httpTypes, log,
    ])
  + room("Records", ["Bytes", "Cluster", "Redis", "Store", "Telemetry", log])
  + room("Relay", ["EventLoop", "Telemetry", "Media", "RTMP", "TLS", "Ingest"])

// Floor 5: the roles.
let floor5: [Target] =
  room(
    "Edge",
    [
      "Bytes", "EventLoop", "Telemetry", "Media", "HLS", "HTTPSemantics", "HTTPServer",
      "HTTPClient", "Cache", "Access", "Cluster", "ControlAPI", "Operator", "Redis", "Viewers", log,
      httpTypes,
    ])
  + room(
    "Origin",
    [
      "Bytes", "EventLoop", "Telemetry", "Events", "Media", "RTMP", "HLS", "TLS", "Ingest",
      "HTTPServer", "HTTPSemantics", "Store", "Storage", "Transcode", "Access", "ControlAPI",
      "Operator", "Recording", "Viewers", log, httpTypes,
      .product(name: "Crypto", package: "swift-crypto"),
    ], resources: [.embedInCode("Pages/Assets")])

// Floor 6: the executable.
let floor6: [Target] = [
  .executableTarget(
    name: "wedlive",
    dependencies: [
      "Bytes", "EventLoop", "Telemetry", "Events", "Media", "RTMP", "HLS", "TLS", "Ingest",
      "HTTPServer", "HTTPSemantics", "HTTP2", "HTTPClient", "Store", "Storage", "Access",
      "Cache", "CDN", "Cluster", "ControlAPI", "Edge", "Operator", "Origin", "Recording", "Records",
      "Redis", "Relay", "Transcode", "Viewers", "CLinux", log, httpTypes,
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Configuration", package: "swift-configuration"),
      .product(name: "Yams", package: "Yams"),
      .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      .product(name: "UnixSignals", package: "swift-service-lifecycle"),
    ],
    swiftSettings: swiftSettings)
]

let testTargets: [Target] =
  tests("Bytes") + tests("EventLoop", ["Bytes", "CLinux"]) + tests("Media", ["Bytes"])
  + tests("Telemetry", [log]) + tests("Events", ["Telemetry"]) + tests("RTMP", ["Bytes", "Media"])
  + tests("HTTP1", ["Bytes", "HTTPSemantics"])
  + tests("HTTPSemantics", ["Bytes"])
  + tests("HTTP2", ["Bytes", "HTTPSemantics"]) + tests("TLS", ["Bytes", "COpenSSL"])
  + tests("HLS", ["Bytes", "Media"])
  + tests(
    "HTTPServer",
    [
      "BlockingSupport", "Bytes", "EventLoop", "TLS", "Telemetry", "HTTPSemantics", "HTTP1",
      "HTTP2", httpTypes,
    ])
  + tests("Ingest", ["Bytes", "EventLoop", "RTMP", "Media", "TLS", "Telemetry", "TestSupport"])
  + tests("HTTPClient", ["EventLoop", "HTTPSemantics", "PythonSupport", httpTypes])
  + tests("Redis", ["BlockingSupport", "Bytes", "EventLoop", "RedisSupport", "Telemetry", "TLS"])
  + tests("Transcode", ["Bytes", "Media", "PublishWorkerFixture", "TestSupport"])
  + tests("Cache", ["CLinux", "HTTPSemantics", httpTypes])
  + tests("Store", [grdb])
  + tests(
    "Storage",
    ["Bytes", "HTTPClient", "PythonSupport", "Telemetry", "TestSupport", crypto, httpTypes])
  + tests(
    "Access",
    [
      "HTTPClient", "PythonSupport", "Telemetry", log, httpTypes,
      .product(name: "JWTKit", package: "jwt-kit"),
      .product(name: "Crypto", package: "swift-crypto"),
    ])
  + tests(
    "Recording", ["Media", "HLS", "Store", "Storage", "Transcode", "Events", "Telemetry", log])
  + tests("Operator", ["HTTPServer", httpTypes])
  + tests(
    "Viewers",
    [
      "Access", "EventLoop", "HLS", "HTTPSemantics", "HTTPServer", "Media", "Telemetry", httpTypes,
      "TestSupport",
    ])
  + tests(
    "Cluster",
    [
      "Bytes", "EventLoop", "Telemetry", "HTTPClient", "Redis", "RedisSupport", "BlockingSupport",
      httpTypes, log,
    ])
  + tests(
    "Records",
    ["BlockingSupport", "Cluster", "Redis", "RedisSupport", "Store", "Telemetry", log])
  + tests(
    "CDN",
    [
      "BlockingSupport", "EventLoop", "HTTPClient", "PythonSupport", "Redis", "RedisSupport",
      "Store", "Telemetry", httpTypes, log,
    ])
  + tests("Relay", ["Bytes", "EventLoop", "Ingest", "Media", "RTMP", "TLS", "Telemetry"])
  + tests("ControlAPI", ["Access", "HTTPServer", "Store", "Telemetry", log, httpTypes])
  + tests(
    "Edge",
    [
      "BlockingSupport", "Cache", "Cluster", "EventLoop", "HLS", "Telemetry", "HTTPSemantics",
      "HTTPServer", "HTTPClient", "Media", "Operator", "PythonSupport", "Redis", "RedisSupport",
      "Viewers", log, httpTypes,
    ])
  + tests(
    "Origin",
    [
      "Bytes", "EventLoop", "Media", "HLS", "RTMP", "Ingest", "HTTPServer", "HTTPSemantics",
      "HTTPClient", "Access", "ControlAPI", "Recording", "Store", "Telemetry", "Transcode",
      "Events", "Operator", "TestSupport", "TLS", "Viewers", log, httpTypes,
      .product(name: "Crypto", package: "swift-crypto"),
    ])
  + tests(
    "wedlive",
    [
      "EventLoop", "Ingest", "Media", "RTMP", "TLS", "Access", "HTTP2", "HTTPServer",
      "BlockingSupport", "Cluster", "ControlAPI", "Edge", "Operator", "Origin", "Records", "Redis",
      "RedisSupport", "Storage", "Telemetry", "Transcode", "Viewers", log, httpTypes,
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
    ])

/// What the tests of several targets share, and a worker that the tests of `Transcode` start: their
/// own process can't be started as one.
let fixtures: [Target] = [
  .target(
    name: "TestSupport", dependencies: ["Media", "HTTPServer", "Viewers"],
    path: "Tests/TestSupport",
    swiftSettings: swiftSettings),
  .target(
    name: "PythonSupport", path: "Tests/PythonSupport", swiftSettings: swiftSettings),
  .target(
    name: "BlockingSupport", path: "Tests/BlockingSupport", swiftSettings: swiftSettings),
  .target(
    name: "RedisSupport", dependencies: ["EventLoop", "Redis"], path: "Tests/RedisSupport",
    swiftSettings: swiftSettings),
  .executableTarget(
    name: "PublishWorkerFixture", dependencies: ["Transcode", "CLinux"],
    path: "Tests/PublishWorkerFixture", swiftSettings: swiftSettings),
]

/// What `make fuzz` runs and `swift test` replays: Tests/Fuzz/README.md.
let fuzz: [Target] =
  [
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Bytes", "EventLoop", "Media", "Telemetry", "HTTPSemantics", "RTMP", "HTTP1", "HTTP2",
        "HLS", "Access", "Ingest", "Redis", "Transcode", "Storage",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: swiftSettings),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay",
      swiftSettings: swiftSettings),
  ]
  + (isFuzzing
    ? [
      .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
      .executableTarget(
        name: "Fuzzer", dependencies: ["CFuzzer", "FuzzTargets"], path: "Tests/Fuzz/Fuzzer",
        swiftSettings: swiftSettings, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]),
    ] : [])

let package = Package(
  name: "wedlive",
  // Exactly these: a clean checkout is built with what was tested. CONTRIBUTING.md says how to
  // change it.
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(
      url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: ["YAML"]),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: floor0 + floor1 + floor2 + floor3 + floor4 + floor5 + floor6 + fixtures + testTargets
    + fuzz)
