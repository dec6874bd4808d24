/// How much a node has to do.
package struct NodeLoad: Equatable, Sendable {
  /// The part of all its cores that is used, 0 to 1.
  package var cpu = 0.0
  /// Resident bytes.
  package var memory: Int64 = 0
  package var publishers = 0
  package var viewers = 0
  /// Bits per second that it takes in.
  package var bitrateIn: Int64 = 0
  /// Bits per second that it sends.
  package var bitrateOut: Int64 = 0
  /// How much of its power to encode is free, 0 to 1; what it gets is weighted by it.
  package var headroom = 1.0
  /// How many publishers it takes; a node that has so many is full.
  package var capacity = 1_000

  package init() {}

  /// Whether each number is one that a node can have.
  var isValid: Bool {
    (0...1).contains(cpu) && (0...1).contains(headroom) && memory >= 0
      && (0...1_000_000).contains(publishers) && (0...100_000_000).contains(viewers)
      && bitrateIn >= 0 && bitrateOut >= 0 && (0...1_000_000).contains(capacity)
  }

  /// The nearest that is valid, for what we measured ourselves.
  var clamped: NodeLoad {
    func part(_ value: Double) -> Double { value.isNaN ? 0 : min(1, max(0, value)) }
    var load = self
    load.cpu = part(cpu)
    load.headroom = part(headroom)
    load.memory = max(0, memory)
    load.publishers = min(1_000_000, max(0, publishers))
    load.viewers = min(100_000_000, max(0, viewers))
    load.bitrateIn = max(0, bitrateIn)
    load.bitrateOut = max(0, bitrateOut)
    load.capacity = min(1_000_000, max(0, capacity))
    return load
  }
}
