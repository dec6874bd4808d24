import Access
import ArgumentParser
import Foundation

/// `wedlive token`: makes a token and prints it, and nothing else.
struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make a token to publish, to watch or to use the API.",
    discussion: """
      Signs with the secret of the node whose folder or configuration is given, and prints the \
      token alone:

        wedlive publish rtmp://localhost/live/$(wedlive token publish --wedding anna-ben)
      """)

  enum Kind: String, CaseIterable, ExpressibleByArgument { case publish, watch, service }

  enum Plan: String, CaseIterable, ExpressibleByArgument { case free, premium }

  @Argument(help: "What it allows: publish, watch or service.")
  var kind: Kind

  @Option(help: ArgumentHelp("The wedding it is for.", valueName: "id"))
  var wedding: String?

  @Option(help: ArgumentHelp("The camera it is for; main where none is named.", valueName: "id"))
  var camera: String?

  @Option(help: "The plan that limits the qualities.")
  var plan: Plan?

  @Option(help: ArgumentHelp("How long it is valid: 30m, 12h, 7d.", valueName: "duration"))
  var expires = "12h"

  @Option(help: ArgumentHelp("Whom it is given to, for the logs.", valueName: "name"))
  var subject: String?

  @Option(
    help: "Of two publishers of one stream, the one with the higher number wins.")
  var priority = 0

  @Flag(help: "A watch token that is good for a locked wedding, too.")
  var unlocked = false

  @OptionGroup(title: "Whose secret") var options: ConfigurationOptions

  func validate() throws {
    if kind != .service, wedding == nil {
      throw ValidationError("--wedding: a \(kind.rawValue) token is for one wedding; name it")
    }
    for case (let name, let value?) in [("--wedding", wedding), ("--camera", camera)]
    where !Claims.isName(value) {
      throw ValidationError(
        "\(name): \"\(value)\" is no name; letters, digits, dots, dashes and underscores are")
    }
    guard let duration = DurationText.parse(expires), duration >= .seconds(1) else {
      throw ValidationError("--expires: \"\(expires)\" is unfit; expected a duration such as 12h")
    }
  }

  func run() async throws {
    let configuration = try options.load()
    do {
      let secret = try NodeSecret.existing(configuration)
      let issued = Int64(Date().timeIntervalSince1970)
      let seconds = DurationText.parse(expires)?.components.seconds ?? 43_200
      let claims = Claims(
        scope: Scope(rawValue: kind.rawValue) ?? .watch, wedding: wedding, camera: camera,
        plan: plan?.rawValue, subject: subject, expires: issued + seconds, priority: priority,
        unlocked: unlocked)
      print(try await TokenIssuer(secret: secret).token(claims, issued: issued))
    } catch let error as StartFailure {
      throw CommandFailure(error.description)
    } catch let error as KeyError {
      throw CommandFailure("\(error)")
    }
  }
}
