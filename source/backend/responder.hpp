// What a server says to one of its clients.
#pragma once

#include "net/asio.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway::backend {

/// Takes the bytes of one connection and says what is to be sent; does no I/O but to log, and looks at no clock: all
/// times are given. Belongs to the connection's event loop.
class responder {
public:
    /// The time at which there is nothing to be said.
    static constexpr auto never = clock::time_point::max();

    responder() = default;
    virtual ~responder() = default;
    responder(const responder&) = delete;
    responder& operator=(const responder&) = delete;

    /// Takes `bytes` that have come at `now`, and appends to `output` what is to be sent. False when they cannot be
    /// read any further: the connection ends when all has been sent.
    virtual bool take(std::string_view bytes, clock::time_point now, std::string& output) = 0;

    /// No more will come: appends the last that is to be sent.
    virtual void finish(std::string& output) = 0;

    /// When something is to be sent that no bytes will bring about.
    virtual clock::time_point due() const { return never; }

    /// Appends what is due at `now`, which may be nothing.
    virtual void speak(clock::time_point /*now*/, std::string& /*output*/) {}

    /// How many bytes it keeps to be sent later.
    virtual std::size_t held() const { return 0; }
};

} // namespace causeway::backend
