import CLinux
import EventLoop
import Glibc

/// What a process is given by the one that it takes over from: descriptors, and what each of them
/// is.
///
/// It stands in the environment as words such as `link=3 lock=4 listen.https=5,6@[::]:8443`.
struct Inheritance: Equatable, Sendable {
  /// Listening sockets of one endpoint.
  struct Place: Equatable, Sendable {
    /// As the process before says; nothing is believed that `getsockname` doesn't say as well.
    var address: String
    var descriptors: [Int32]
  }

  /// Taken out of the environment before the configuration is read: it is no key's.
  static let variable = "WEDLIVE_INHERITED"

  /// To the process before this one.
  var link: Int32
  /// The data folder's lock.
  var lock: Int32
  /// Links of processes that were replaced before that one, and still have publishers.
  var elders: [Int32] = []
  /// By the key of the endpoint.
  var places: [String: Place] = [:]

  init(link: Int32, lock: Int32) {
    self.link = link
    self.lock = lock
  }

  /// Takes over what this process was given; nil where it was started by itself.
  ///
  /// Programs that it starts get none of it.
  ///
  /// - Throws: `StartFailure` naming what is not what it should be.
  static func take() throws(StartFailure) -> Inheritance? {
    guard let value = unsafe getenv(variable) else { return nil }
    let text = unsafe String(cString: value)
    unsafe unsetenv(variable)
    guard let inheritance = Inheritance(text) else {
      throw StartFailure("\(variable): not what a process of this program was given: \(text)")
    }
    for descriptor in inheritance.descriptors {
      guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
        throw StartFailure("\(variable): descriptor \(descriptor) isn't open")
      }
    }
    for (key, place) in inheritance.places.sorted(by: { $0.key < $1.key }) {
      for descriptor in place.descriptors { try verify(descriptor, key, place.address) }
    }
    return inheritance
  }

  /// Makes sure that a descriptor is a listening TCP socket at an address.
  private static func verify(
    _ descriptor: Int32, _ key: String, _ address: String
  ) throws(StartFailure) {
    var listens: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size)
    guard result == 0, listens == 1 else {
      throw StartFailure("\(variable): \(key): descriptor \(descriptor) doesn't listen")
    }
    let real = "\(SocketAddress(local: descriptor))"
    guard real == address else {
      throw StartFailure(
        "\(variable): \(key): descriptor \(descriptor) listens at \(real), not at \(address)")
    }
  }

  /// All descriptors, each once.
  var descriptors: [Int32] {
    [link, lock] + elders + places.sorted { $0.key < $1.key }.flatMap(\.value.descriptors)
  }

  /// Every descriptor under another number.
  func renumbered(_ number: (Int32) -> Int32) -> Inheritance {
    var other = self
    other.link = number(link)
    other.lock = number(lock)
    other.elders = elders.map(number)
    other.places = places.mapValues {
      Place(address: $0.address, descriptors: $0.descriptors.map(number))
    }
    return other
  }

  // MARK: As text

  init?(_ text: String) {
    var link: Int32?
    var lock: Int32?
    var elders: [Int32] = []
    var places: [String: Place] = [:]
    for word in text.split(separator: " ") {
      let halves = word.split(separator: "=", maxSplits: 1)
      guard halves.count == 2 else { return nil }
      let values = halves[1].split(separator: "@", maxSplits: 1)
      let numbers = values[0].split(separator: ",").map { Int32($0) }
      guard !numbers.isEmpty, numbers.allSatisfy({ ($0 ?? 0) > 2 }) else { return nil }
      let descriptors = numbers.compactMap(\.self)
      switch (halves[0], values.count) {
      case ("link", 1): link = descriptors[0]
      case ("lock", 1): lock = descriptors[0]
      case ("elder", 1): elders += descriptors
      case (let key, 2):
        places[String(key)] = Place(address: String(values[1]), descriptors: descriptors)
      default: return nil
      }
    }
    guard let link, let lock else { return nil }
    self.link = link
    self.lock = lock
    self.elders = elders
    self.places = places
  }

  var text: String {
    var words = ["link=\(link)", "lock=\(lock)"]
    words += elders.map { "elder=\($0)" }
    for (key, place) in places.sorted(by: { $0.key < $1.key }) {
      let numbers = place.descriptors.map { "\($0)" }.joined(separator: ",")
      words.append("\(key)=\(numbers)@\(place.address)")
    }
    return words.joined(separator: " ")
  }
}
