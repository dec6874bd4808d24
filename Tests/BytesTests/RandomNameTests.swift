import Bytes
import Testing

@Suite struct `Random names` {
  @Test func `a number is written with their letters, and read again`() {
    for (value, name) in [(0, "0000000"), (31, "000000z"), (1_796_013_383, "1ngsza7")]
      as [(UInt64, String)]
    {
      #expect(RandomName.of(value, 7) == name)
      #expect(RandomName.value(of: name) == value)
    }
    #expect(RandomName.value(of: RandomName.of(1 << 60 - 1, 12)) == 1 << 60 - 1)
    #expect(RandomName.of(1 << 35 + 5, 7) == "0000005")
  }

  @Test func `what is none of their letters is no number`() {
    for name in ["000000l", "000000-", "00000é", "0000000000000"] {
      #expect(RandomName.value(of: name) == nil)
    }
  }
}
