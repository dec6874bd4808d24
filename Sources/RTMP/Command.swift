import Bytes

/// A command message: a name, a transaction and arguments, the first of which is an object or null.
package struct Command: Equatable, Sendable {
  package var name: String
  /// What an answer repeats; 0 when none is expected.
  package var transaction: Double
  package var arguments: [AMFValue]

  package init(_ name: String, _ transaction: Double = 0, _ arguments: [AMFValue] = [.null]) {
    self.name = name
    self.transaction = transaction
    self.arguments = arguments
  }

  /// Reads a command message's payload.
  ///
  /// Bytes after the name that are not AMF end the arguments, not the session.
  ///
  /// - Parameters:
  ///   - payload: the whole payload.
  ///   - type: `.command`, or `.commandAMF3`, whose payload starts with a format byte.
  ///   - limits: what the values may unfold to.
  /// - Throws: `.amf`: there is no name, or a limit is passed.
  package init(
    _ payload: borrowing Span<UInt8>, type: MessageType, limits: AMFLimits = AMFLimits()
  ) throws(ProtocolError) {
    let (values, failure) = AMFValue.values(of: payload, type: type, limits: limits)
    if failure == .tooDeep || failure == .tooMany {
      throw ProtocolError(.amf, "a command unfolds to more than its limits")
    }
    guard let name = values.first?.string else {
      throw ProtocolError(.amf, "a command without a name")
    }
    self.name = name
    transaction = values.dropFirst().first?.number ?? 0
    arguments = Array(values.dropFirst(2))
  }

  /// The argument at `index`; 0 is the command object.
  package func argument(_ index: Int) -> AMFValue? {
    index < arguments.count ? arguments[index] : nil
  }

  /// The command as the payload of a type 20 message.
  package var payload: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(amf0: .string(name))
    bytes.append(amf0: .number(transaction))
    for argument in arguments { bytes.append(amf0: argument) }
    return bytes
  }
}

extension AMFValue {
  /// Reads all values of a command or data message, as far as they can be read.
  ///
  /// - Parameters:
  ///   - payload: the whole payload.
  ///   - type: types 15, 16 and 17 start with a format byte, which is 0.
  ///   - limits: what the values may unfold to.
  /// - Returns: the values, and what ended them before the end of the bytes.
  package static func values(
    of payload: borrowing Span<UInt8>, type: MessageType, limits: AMFLimits = AMFLimits()
  ) -> (values: [AMFValue], failure: AMFError?) {
    var reader = AMFReader(limits: limits)
    var cursor = ByteCursor()
    if type == .commandAMF3 || type == .dataAMF3 || type == .sharedObjectAMF3,
      payload.count > 0, payload[0] == 0
    {
      cursor.offset = 1
    }
    var values: [AMFValue] = []
    do {
      while let value = try reader.next(payload, &cursor) { values.append(value) }
    } catch {
      return (values, error)
    }
    return (values, nil)
  }
}
