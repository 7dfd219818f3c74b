// Socket options that Asio has no name for.
#pragma once

#include <cstddef>

namespace causeway::net {

/// A whole-number option for `set_option` (Asio's SettableSocketOption requirements), for example
/// `integer_option<IPPROTO_TCP, TCP_USER_TIMEOUT>(1000)`; see socket(7) and tcp(7).
template <int Level, int Name>
class integer_option {
public:
    /// The option with this value.
    explicit integer_option(int value) noexcept
        : value_(value)
    {
    }

    /// Required by Asio.
    /// @{
    template <class Protocol>
    int level(const Protocol&) const noexcept
    {
        return Level;
    }
    template <class Protocol>
    int name(const Protocol&) const noexcept
    {
        return Name;
    }
    template <class Protocol>
    const void* data(const Protocol&) const noexcept
    {
        return &value_;
    }
    template <class Protocol>
    std::size_t size(const Protocol&) const noexcept
    {
        return sizeof value_;
    }
    /// @}

private:
    int value_;
};

} // namespace causeway::net
