extension ConfigurationTable {
  static let recording: [ConfigurationKey] = [
    .flag(
      "recording.enabled", \.recording.enabled,
      "Whether every stream is recorded; others are when the API asks for it."),
    .text(
      "recording.path", \.recording.path, takes: "the path of a folder",
      "The folder of the recordings, made if missing; without one it is `recordings` in the data"
        + " folder. It holds what is recorded until the storage has it.",
      where: { _ in true }),
    .list(
      "recording.qualities", \.recording.qualities, takes: "names of qualities, and source",
      example: "source",
      "What is recorded of each stream: `source` as it is received, others as they are encoded,"
        + " whoever watches.",
      where: { PlansSection.renditions.contains($0) }),
    .size(
      "recording.max_size", \.recording.maxSize, in: 1 << 20...(1 << 40),
      "From this size on a file ends at the next keyframe, and another one goes on; they become one"
        + " MP4."),
    .size(
      "recording.buffer", \.recording.buffer, in: 1 << 20...(1 << 30),
      "What of one stream may wait for a slow disk in memory; what comes beyond it is not recorded."
    ),
    .size(
      "recording.reserve", \.recording.reserve, in: 1 << 20...(1 << 40),
      "What stays free on the disk: below it recordings stop, and go on by themselves; nor are"
        + " segments kept for going back (streams.dvr_window), whose disk the records are on."),
    .count(
      "recording.keep_days", \.recording.keepDays, in: 0...36_500,
      "After so many days finished recordings are deleted, also where they were uploaded to; 0 keeps"
        + " them."),
    .size(
      "recording.quota_free", \.recording.quotaFree, in: 0...1 << 50,
      "What the recordings of one wedding take at most under the plan `free`: the oldest finished"
        + " ones make room for a new one. What is recorded ends once it takes as much, with what is"
        + " not finished yet. 0: no limit."),
    .size(
      "recording.quota_premium", \.recording.quotaPremium, in: 0...1 << 50,
      "The same under `premium`."),
    .count(
      "recording.jobs", \.recording.jobs, in: 1...16,
      "How many finished recordings are processed at a time."),
  ]
}
