import Store
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Locked weddings, in every store` {
  let folder: Folder

  init() throws { folder = try Folder() }

  @Test(arguments: Kind.allCases)
  func `a wedding is locked until it is unlocked`(kind: Kind) async throws {
    let store = try kind.locks(folder)
    #expect(try await store.locked() == [:])
    try await store.lock("w", since: 5)
    try await store.lock("v", since: 6)
    try await store.lock("w", since: 9)
    #expect(try await store.locked() == ["w": 5, "v": 6])
    try await store.unlock("w")
    try await store.unlock("nobody's")
    #expect(try await store.locked() == ["v": 6])
  }
}
