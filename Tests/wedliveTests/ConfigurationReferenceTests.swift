import Foundation
import Testing

@testable import wedlive

@Suite struct `Configuration documents` {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: Self.root.appending(path: path)), as: UTF8.self)
  }

  @Test func `the reference page is what the table says`() throws {
    let page = try text("Sources/wedlive/Documentation.docc/Configuration.md")
    #expect(page == ConfigurationReference.page(), "run: wedlive reference --write .")
  }

  @Test func `the example is what the table says`() throws {
    let example = try text("cluster/examples/standalone.yaml")
    #expect(example == ConfigurationReference.example(), "run: wedlive reference --write .")
  }

  @Test func `the example sets every default`() throws {
    let path = Self.root.appending(path: "cluster/examples/standalone.yaml").path
    #expect(try ConfigurationLoader(file: path, environment: [:]).load() == NodeConfiguration())
  }
}
