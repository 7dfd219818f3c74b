#include "upstream/outcome.hpp"

#include <array>
#include <cstddef>

namespace causeway::upstream {
namespace {

constexpr int written_flag = 0x100; // added to the number of the failure

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "causeway.upstream"; }

    std::string message(int value) const override
    {
        switch (static_cast<failure>(value & ~written_flag)) {
        case failure::timed_out:
            return "none came within the reply timeout";
        case failure::unavailable:
            return "no upstream has been reachable for longer than the reply timeout";
        case failure::overloaded:
            return "too many requests wait";
        case failure::connection_lost:
            return "its message was lost with its connection";
        case failure::duplicate:
            return "another request with its key is in flight, or was a short time ago";
        }
        return "unknown";
    }
};

} // namespace

std::string_view name_of(failure why) noexcept
{
    constexpr auto names =
        std::to_array<std::string_view>({"timed_out", "unavailable", "overloaded", "connection_lost", "duplicate"});
    return names.at(static_cast<std::size_t>(why) - 1);
}

const boost::system::error_category& failure_category() noexcept
{
    static const category the_category;
    return the_category;
}

boost::system::error_code make_error_code(failure why, bool written) noexcept
{
    return {static_cast<int>(why) | (written ? written_flag : 0), failure_category()};
}

failure why_failed(const boost::system::error_code& error) noexcept
{
    return static_cast<failure>(error.value() & ~written_flag);
}

bool was_written(const boost::system::error_code& error) noexcept { return (error.value() & written_flag) != 0; }

} // namespace causeway::upstream
