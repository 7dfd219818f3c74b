#include "net/clock.hpp"

namespace causeway {

clock::time_point clock::now() noexcept { return time_point(std::chrono::steady_clock::now().time_since_epoch()); }

} // namespace causeway
