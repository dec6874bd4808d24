/// All that can be set about a node; a value as it stands here is the default.
///
/// What each key is called, may be and means is said once, in `ConfigurationTable`.
struct NodeConfiguration: Equatable, Sendable {
  var node = NodeSection()
  var listen = ListenSection()
  var data = DataSection()
  var tls = TLSSection()
  var auth = AuthSection()
  var access = AccessSection()
  var callbacks = CallbacksSection()
  var streams = StreamsSection()
  var transcode = TranscodeSection()
  var qualities = QualitiesSection()
  var plans = PlansSection()
  var cameras = CamerasSection()
  var encryption = EncryptionSection()
  var recording = RecordingSection()
  var storage = StorageSection()
  var edge = EdgeSection()
  var rtmp = RTMPSection()
  var http = HTTPSection()
  var player = PlayerSection()
  var log = LogSection()
  var loops = LoopsSection()
  var proxyProtocol = ProxyProtocolSection()
  var shutdown = ShutdownSection()
}
