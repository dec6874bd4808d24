import ArgumentParser
import Foundation

/// Ends a command with lines on standard error and status 1.
struct CommandFailure: Error, CustomStringConvertible, LocalizedError {
  let lines: [String]

  init(_ lines: [String]) { self.lines = lines }

  init(_ line: String) { lines = [line] }

  var description: String { lines.joined(separator: "\n       ") }
  var errorDescription: String? { description }
}
