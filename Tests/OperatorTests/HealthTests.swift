import Synchronization
import Testing

@testable import HTTPServer
@testable import Operator

@Suite struct `Node health` {
  @Test func `a node is ready once it is said to be, and not after a reason why not`() {
    let health = Health()
    #expect(!health.isReady)
    #expect(health.readiness.status == 503)
    health.set(unready: nil)
    #expect(health.isReady)
    #expect(health.readiness.status == 200)
    health.set(unready: "the node is stopping")
    #expect(!health.isReady)
    #expect(health.readiness.status == 503)
  }

  @Test func `a node that has yet to learn something is not ready until it has`() {
    let health = Health()
    health.set(waiting: "it knows no origin yet")
    health.set(unready: nil)
    #expect(!health.isReady)
    #expect(health.readiness.status == 503)
    let words = String(decoding: health.readiness.identity.body, as: UTF8.self)
    #expect(words.contains("This node takes no new work: it knows no origin yet."))
    health.set(waiting: nil)
    #expect(health.isReady)
    #expect(health.readiness.status == 200)
  }

  @Test func `what should be known of a node that is ready is said`() {
    let health = Health()
    health.set(remark: "no upstream answers")
    #expect(health.readiness.status == 503)
    health.set(unready: nil)
    #expect(health.readiness.status == 200)
    let words = String(decoding: health.readiness.identity.body, as: UTF8.self)
    #expect(words == "ready: no upstream answers\n")
    health.set(remark: nil)
    #expect(String(decoding: health.readiness.identity.body, as: UTF8.self) == "ready\n")
  }

  @Test func `what is said of one thing leaves what is said of another`() {
    let health = Health()
    health.set(unready: nil)
    health.set(remark: "the disk is full", detail: "/data", about: .dataFolder)
    health.set(remark: "no upstream answers")
    #expect(health.words == "no upstream answers; the disk is full (/data)")
    #expect(
      String(decoding: health.readiness.identity.body, as: UTF8.self)
        == "ready: no upstream answers; the disk is full\n")
    health.set(remark: nil)
    #expect(health.remark == "the disk is full (/data)")
    health.set(remark: nil, about: .dataFolder)
    #expect(health.remark == nil)
  }

  @Test func `who follows it hears of faults and remarks as they come and go`() {
    let health = Health()
    let heard = Mutex<[String?]>([])
    health.observe { heard.withLock { $0 += [health.fault, health.remark] } }
    health.set(remark: "no upstream answers", detail: "https://a:1: refused")
    health.set(fault: "No disk")
    health.set(remark: nil)
    health.set(fault: nil)
    let words = "no upstream answers (https://a:1: refused)"
    #expect(
      heard.withLock { $0 } == [nil, nil, nil, words, "No disk", words, "No disk", nil, nil, nil])
  }

  @Test func `the operator is told the details of what is said, and of nothing else`() {
    let health = Health()
    health.set(unready: nil)
    health.set(remark: "no upstream answers", detail: "https://a:1: refused")
    #expect(health.words == "no upstream answers (https://a:1: refused)")
    #expect(
      String(decoding: health.readiness.identity.body, as: UTF8.self)
        == "ready: no upstream answers\n")
    health.set(unready: "the node is stopping")
    #expect(health.words == "the node is stopping")
    health.set(unready: nil)
    health.set(fault: "The data folder /data can't be written: no room")
    #expect(health.words == "The data folder /data can't be written: no room")
    health.set(waiting: "no upstream has answered yet", detail: "https://b:1: late")
    #expect(health.words == "no upstream has answered yet (https://b:1: late)")
  }

  @Test func `a fault is told while streams go on, and a node that stops says that instead`() {
    let health = Health()
    health.set(unready: nil)
    health.set(fault: "The data folder /data can't be written: no room")
    #expect(!health.isReady)
    #expect(health.takesPublishers)
    #expect(health.readiness.status == 503)
    let words = String(decoding: health.readiness.identity.body, as: UTF8.self)
    #expect(words.contains("The data folder /data can't be written: no room. Streams go on."))
    health.set(unready: "the node is stopping")
    #expect(!health.takesPublishers)
    #expect(
      String(decoding: health.readiness.identity.body, as: UTF8.self).contains("is stopping"))
    health.set(unready: nil)
    health.set(fault: nil)
    #expect(health.isReady)
    #expect(health.readiness.status == 200)
  }
}
