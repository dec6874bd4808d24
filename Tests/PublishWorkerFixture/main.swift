// The processes that tests of `Transcode` start in place of `wedlive`.
import CLinux
import Transcode

#if canImport(Glibc)
  import Glibc
#endif

/// Writes one line to the socket that a worker has, or to standard output.
func say(_ text: String, to descriptor: CInt) {
  let bytes = Array((text + "\n").utf8)
  _ = unsafe write(descriptor, bytes, bytes.count)
}

/// Away from the main actor: what a thread runs must not belong to it.
nonisolated func canStartThread() -> Bool {
  var thread = pthread_t()
  guard unsafe pthread_create(&thread, nil, { _ in nil }, nil) == 0 else { return false }
  return pthread_join(thread, nil) == 0
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case PublishWorker.command:
  exit(PublishWorker.main(arguments: Array(arguments.dropFirst())))

case TranscodeWorker.command:
  TranscodeWorker.main(arguments: Array(arguments.dropFirst()))

case RemuxWorker.command:
  exit(RemuxWorker.main(arguments: Array(arguments.dropFirst())))

case "parent":
  // Starts a worker, says its number, and waits to be killed.
  let worker = try WorkerProcess(
    command: PublishWorker.command, arguments: Array(arguments.dropFirst()))
  say("\(worker.processID)", to: 1)
  while true { pause() }

case "descriptors":
  // Which descriptors a child has, and what its environment is.
  var open: [String] = []
  for descriptor in 0..<CInt(1024) where fcntl(descriptor, F_GETFD) >= 0 {
    open.append("\(descriptor)")
  }
  let secret = unsafe getenv("WEDLIVE_TEST_SECRET") == nil ? "no secret" : "secret"
  say(open.joined(separator: ",") + " " + secret, to: WorkerProcess.outputDescriptor)

case "confined":
  // What is still possible after confinement: 1 for each thing that is.
  let confinement = WorkerConfinement(WorkerLimits())
  let canConnect = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0) >= 0
  let canOpen = unsafe open("/etc/hostname", O_RDONLY) >= 0
  let isRoot = geteuid() == 0
  var processID: CInt = 0
  let canSpawn = unsafe posix_spawn(&processID, "/bin/true", nil, nil, [nil], [nil]) == 0
  let canThread = canStartThread()
  let canUse = [canConnect, canOpen, isRoot, canSpawn].map { $0 ? "1" : "0" }.joined()
  say(
    "\(confinement.isolation.rawValue) \(canUse) \(canThread ? "threads" : "no threads")",
    to: WorkerProcess.outputDescriptor)

case "crash":
  raise(SIGSEGV)

case "garbage":
  say("this is not FLV, whatever it may look like", to: WorkerProcess.outputDescriptor)

default:
  exit(2)
}
