import Foundation
import Telemetry
import Testing

@testable import Events

@Suite struct `Event bus` {
  @Test func `every subscriber has every event in the order of publishing`() async {
    let bus = EventBus()
    let first = bus.subscribe()
    let second = bus.subscribe()
    for number in 0..<5 {
      bus.publish(Event(.cameraSwitched, wedding: "w", data: ["n": .integer(Int64(number))]))
    }
    for stream in [first, second] {
      let events = await stream.prefix(5).reduce(into: []) { $0.append($1) }
      #expect(events.map { $0.data["n"] } == (0..<5).map { .integer($0) })
    }
  }

  @Test func `a slow subscriber loses the oldest, and it is counted`() async {
    let registry = MetricRegistry()
    let bus = EventBus(metrics: registry)
    let stream = bus.subscribe(limit: 2)
    for camera in ["a", "b", "c"] { bus.publish(Event(.cameraAdded, wedding: "w", camera: camera)) }
    let events = await stream.prefix(2).reduce(into: []) { $0.append($1) }
    #expect(events.map(\.camera) == ["b", "c"])
    let text = String(decoding: registry.text(), as: UTF8.self)
    #expect(text.contains("wedlive_events_dropped_total 1\n"))
    #expect(text.contains("wedlive_events_total{event=\"camera.added\"} 3\n"))
  }

  @Test func `whoever stops listening is forgotten`() async {
    let bus = EventBus()
    do {
      let task = Task { for await _ in bus.subscribe() { break } }
      while bus.subscriberCount == 0 { await Task.yield() }
      bus.publish(Event(.streamEnded, wedding: "w"))
      await task.value
    }
    #expect(bus.subscriberCount == 0)
  }

  @Test func `values are encoded as plain JSON`() throws {
    let values: [EventValue] = ["x", 3, .real(0.5), true]
    let text = String(decoding: try JSONEncoder().encode(values), as: UTF8.self)
    #expect(text == #"["x",3,0.5,true]"#)
  }
}
