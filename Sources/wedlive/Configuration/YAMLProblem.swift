import Yams

/// Says what is wrong with a text that isn't YAML, in one line.
enum YAMLProblem {
  static func describe(_ error: YamlError) -> (problem: String, line: Int?) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return ("isn't YAML: \(problem)", mark.line)
    case .reader(let problem, _, _, _):
      return ("isn't YAML: \(problem)", nil)
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.map { "\($0)" }.sorted().joined(separator: ", ")
      return ("\(names) is there twice", context.mark.line)
    default:
      return ("isn't YAML: \(error)", nil)
    }
  }
}
