import Cluster
import Testing

@testable import Edge

@Suite struct `Name of a live segment` {
  @Test(arguments: [
    ("/hls/w/main/source/7-a.ts", "live/hls/w/main/source/7-a.ts"),
    ("/hls/w/program/source/7-a.ts", "live/hls/w/main/source/7-a.ts"),
    ("/hls/w/cam2/source/7-a.ts", "live/hls/w/cam2/source/7-a.ts"),
    ("/hls/program/main/source/7-a.ts", "live/hls/program/main/source/7-a.ts"),
    ("/hls/w/programs/source/7-a.ts", "live/hls/w/programs/source/7-a.ts"),
    ("/hls/w/program", "live/hls/w/program"), ("/", "live/"), ("", "live"),
  ])
  func `a program's are called as the main camera's`(_ path: String, _ name: String) {
    #expect(LiveName.of(path) == name)
  }

  @Test func `they are purged by either address`() {
    let name = LiveName.of("/hls/w/program/source/7-a.ts")
    for camera in ["main", "program"] {
      let key = EdgePurge([Invalidation.Target.key("/hls/w/\(camera)/source/7-a.ts")])
      #expect(key.isOf(name, tags: EdgeStore.tags(name)))
      let prefix = EdgePurge([Invalidation.Target.prefix("/hls/w/\(camera)/")])
      #expect(prefix.isOf(name, tags: EdgeStore.tags(name)))
    }
    let other = EdgePurge([Invalidation.Target.prefix("/hls/w/cam2/")])
    #expect(!other.isOf(name, tags: EdgeStore.tags(name)))
  }
}
