// For threads whose work nobody waits for: they take what is left of the processor, so that the loop is not
// held up where both share a core.
#pragma once

namespace pinyon {

// The calling thread interrupts no other any more when it wakes. It is `nice` steps nicer than it was: at 5
// it has a quarter of a core that another thread wants as well, at 10 a tenth. (Whoever holds the process's
// memory map for long must not give way further, as others may wait for it.) Where the system refuses, the
// thread goes on as it was.
void TakeBackgroundPriority(int nice);

}  // namespace pinyon
