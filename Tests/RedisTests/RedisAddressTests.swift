import Redis
import Testing

@Suite struct `Redis address` {
  @Test func `a server's parts are read`() throws {
    let address = try RedisAddress("rediss://user:p%40s%2Fs:word@[2001:db8::1]:7000/12")
    #expect(address.place == .server(.tcp(host: "2001:db8::1", port: 7000)))
    #expect(address.isSecure)
    #expect(address.user == "user")
    #expect(address.password == "p@s/s:word")
    #expect(address.database == 12)
  }

  @Test(arguments: [
    "redis://localhost", "redis://localhost/", "redis://localhost:6379", "REDIS://localhost/0",
  ])
  func `what is left out is the usual`(text: String) throws {
    let address = try RedisAddress(text)
    #expect(address.place == .server(.tcp(host: "localhost", port: 6379)))
    #expect(!address.isSecure)
    #expect(address.user == nil)
    #expect(address.password == nil)
    #expect(address.database == 0)
  }

  @Test func `a password needs no user`() throws {
    #expect(try RedisAddress("redis://:secret@h").password == "secret")
    #expect(try RedisAddress("redis://:secret@h").user == nil)
  }

  @Test func `a socket and its database are read`() throws {
    let address = try RedisAddress("unix:///run/redis/my%20redis.sock?db=1")
    #expect(address.place == .server(.unix("/run/redis/my redis.sock")))
    #expect(address.database == 1)
    let user = try RedisAddress("unix://u:p@/run/redis.sock")
    #expect(user.place == .server(.unix("/run/redis.sock")))
    #expect(user.password == "p")
  }

  @Test func `Sentinels and their primary are read`() throws {
    let address = try RedisAddress("redis+sentinel://u:p@a:1,b,[::1]:3/mymaster/2")
    #expect(
      address.place
        == .sentinels(
          [
            .tcp(host: "a", port: 1), .tcp(host: "b", port: 26379), .tcp(host: "::1", port: 3),
          ], primary: "mymaster"))
    #expect(address.database == 2)
    #expect(try RedisAddress("rediss+sentinel://a/m").isSecure)
  }

  @Test(arguments: [
    "", "localhost", "http://localhost", "redis://", "redis:///0", "redis://h:0", "redis://h:x",
    "redis://h:70000", "redis://h/x", "redis://h/-1", "redis://h/0/1", "redis://h /0",
    "redis://secret@h", "redis://u:%zz@h", "redis://u:%4@h", "redis://u:%ff@h", "unix://run/x",
    "unix:///x?database=1", "unix:///x?db=x", "redis+sentinel://a", "redis+sentinel://a/",
    "redis+sentinel://a,/m", "redis+sentinel://a/m/0/1",
  ])
  func `what isn't an address is refused`(text: String) {
    #expect(throws: RedisAddress.Malformed.self) { try RedisAddress(text) }
  }

  @Test func `a path that no socket can have is refused`() {
    let long = String(repeating: "x", count: 108)
    #expect(throws: RedisAddress.Malformed.self) { try RedisAddress("unix:///\(long)") }
  }

  @Test(arguments: [
    "redis://user:secret@h:1/2", "rediss://user:secret@[::1]:1/2",
    "unix://user:secret@/run/x?db=2", "redis+sentinel://user:secret@a:1,b:2/m/2",
  ])
  func `the description is an address without the password`(text: String) throws {
    let address = try RedisAddress(text)
    let words = "\(address)"
    #expect(!words.contains("secret"))
    #expect(words == text.replacing(":secret", with: ""))
  }
}
