#include "upstream/answer.hpp"

namespace causeway::upstream {
namespace {

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "upstream"; }

    std::string message(int value) const override
    {
        switch (static_cast<failure>(value)) {
        case failure::timed_out:
            return "the reply timeout has passed";
        case failure::unavailable:
            return "no upstream is reachable";
        case failure::overloaded:
            return "too many requests wait";
        }
        return "unknown failure";
    }
};

} // namespace

const boost::system::error_category& failure_category() noexcept
{
    static const category instance;
    return instance;
}

} // namespace causeway::upstream
