/// What becomes of an object that is looked at.
package enum ObjectChange<Value: Sendable>: Sendable {
  case none
  /// It stands where it stood, with another value of the same size.
  case replace(Value)
  case remove
}
