// Tests in real time.
#include "kit.hpp"

#include <thread>

namespace causeway::test {

bool wait_for_something(asio::io_context& io, clock::time_point latest) { return io.run_one_until(latest) != 0; }

void stand_still(asio::io_context& /*io*/, std::chrono::nanoseconds duration) { std::this_thread::sleep_for(duration); }

} // namespace causeway::test
