import CFuzzer
import FuzzTargets
import Glibc
import Synchronization

/// libFuzzer, with the target that the environment's `FUZZ_TARGET` names; arguments are
/// libFuzzer's.
///
/// Without it, it lists the targets, each with the longest input that is worth trying.
/// `Tests/Fuzz/run` runs it.
@main enum Fuzzer {
  /// The target that inputs go to.
  static let chosen = Mutex<FuzzTarget?>(nil)

  static func main() async throws {
    let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
      for target in FuzzTarget.allCases { print(target.rawValue, target.mostBytes) }
      return
    }
    try await FuzzTarget.prepare()
    chosen.withLock { $0 = target }
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
      unsafe CommandLine
      .unsafeArgv
    exit(unsafe LLVMFuzzerRunDriver(&count, &arguments, testOneInput))
  }
}

/// What libFuzzer calls with each input; a finding ends the process as a trap does.
@_cdecl("LLVMFuzzerTestOneInput")
package func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = unsafe [UInt8](UnsafeBufferPointer(start: data, count: count))
  do throws(Finding) {
    try Fuzzer.chosen.withLock { $0 }?.run(input)
  } catch {
    fatalError("finding: \(error)")
  }
  return 0
}
