// Tests in real time.
#include "kit.hpp"

namespace causeway::test {

bool wait_for_something(asio::io_context& io, clock::time_point latest) { return io.run_one_until(latest) != 0; }

} // namespace causeway::test
