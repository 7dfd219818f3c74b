#include "http/progress.hpp"

namespace causeway::http {

due progress::sweep(const sweep_limits& limits, bool draining) noexcept
{
    ++sweeps_;
    switch (phase_) {
    case phase::idle:
        return sweeps_ > (draining ? settling : limits.idle) ? due::close : due::nothing;
    case phase::handshaking:
    case phase::reading:
        return sweeps_ > (draining ? limits.reading_in_drain : limits.reading) ? due::refuse : due::nothing;
    case phase::answering:
        return sweeps_ > limits.answering ? due::look_for_client : due::nothing;
    case phase::writing:
        return sweeps_ > limits.writing ? due::reset : due::nothing;
    case phase::closing:
        break;
    }
    return due::nothing;
}

} // namespace causeway::http
