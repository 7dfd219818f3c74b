// Tests in virtual time, which advances when no handler is ready: so a timeout takes exactly as long as it says, to the
// millisecond, however busy the machine is, and hardly any real time. For a loop that is never at rest, each handler
// counts as a microsecond.
//
// Data on the loopback interface arrives while it is sent, so a loop with nothing ready has nothing in flight. A
// program is linked with this file or with real_time.cpp.
#include "kit.hpp"
#include "net/clock.hpp"

#include <thread>

namespace causeway {
namespace {

using namespace std::chrono_literals;

clock::time_point now{1000h}; // far enough from zero for what was an hour ago

constexpr auto tick = 1ms;
constexpr int most_done_in_a_tick = 1000;
int done_in_this_tick = 0;

} // namespace

clock::time_point clock::now() noexcept { return causeway::now; }

namespace test {
namespace {

// Asio checks its timers when the kernel's timer expires, which knows nothing of virtual time. A timer that is due
// before all others makes it check.
void look_at_timers(asio::io_context& io)
{
    steady_timer due(io, clock::time_point::min());
    bool looked = false;
    due.async_wait([&](error_code) { looked = true; });
    while (!looked)
        io.poll_one();
}

} // namespace

bool wait_for_something(asio::io_context& io, clock::time_point latest)
{
    // What was sent has arrived, unless the kernel has left that to one of its own threads, which gets its turn here.
    // Yielding instead would put this thread behind all others on a busy machine, a thousand times a second.
    for (const bool first : {true, false}) {
        if (done_in_this_tick != most_done_in_a_tick && io.poll_one() != 0) {
            ++done_in_this_tick;
            return true;
        }
        if (first)
            std::this_thread::sleep_for(1us);
    }
    if (io.stopped() || clock::now() >= latest)
        return false;
    done_in_this_tick = 0;
    now += tick;
    look_at_timers(io);
    return true;
}

void stand_still(asio::io_context& io, std::chrono::nanoseconds duration)
{
    now += duration;
    look_at_timers(io);
}

} // namespace test
} // namespace causeway
