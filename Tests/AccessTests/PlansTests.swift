import Access
import Testing

@Suite struct `Plans and their qualities` {
  private let plans = Plans(
    [
      Plans.Plan(name: "free", renditions: ["240p", "480p"]),
      Plans.Plan(name: "premium", renditions: ["240p", "480p", "720p", "source"]),
    ], standard: "premium")

  @Test func `a publisher without a plan that there is has the standard one`() {
    #expect(plans.number(ofPublisher: nil) == 2)
    #expect(plans.number(ofPublisher: "gold") == 2)
    #expect(plans.number(ofPublisher: "free") == 1)
    #expect(Plans().number(ofPublisher: "free") == 0)
  }

  @Test func `a viewer without a plan is limited by the publisher's alone`() {
    #expect(plans.number(ofViewer: nil) == 0)
    #expect(plans.number(ofViewer: "") == 0)
    #expect(plans.number(ofViewer: "gold") == 0)
    #expect(plans.number(ofViewer: "free") == 1)
  }

  @Test(
    arguments: [
      ("720p", 2, 0b101), ("720p", 1, 0), ("480p", 2, 0b111), ("480p", 1, 0b111),
      ("source", 2, 0b101), ("4k", 2, 0), ("4k", 0, 0b001),
    ] as [(String, Int, UInt32)])
  func `a rendition is for those in whose plan and whose publisher's it is`(
    rendition: String, publisher: Int, viewers: UInt32
  ) {
    #expect(plans.viewers(of: rendition, publisher: publisher) == viewers)
  }
}
