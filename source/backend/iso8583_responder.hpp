// What the emulated payment host says to one client: the bytes around its decisions.
#pragma once

#include "backend/responder.hpp"
#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/frame.hpp"
#include "protocols/iso8583/message.hpp"
#include "protocols/iso8583/protocol.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace causeway::backend {

/// How the emulated payment host speaks. A value.
struct host_settings {
    iso8583::dialect dialect;
    iso8583::framing framing = {};
    std::chrono::nanoseconds echo_after = std::chrono::seconds(30);    ///< of quiet; zero for never
    iso8583::time_of_day time_of_day = std::chrono::system_clock::now; ///< the time in its own messages
};

/// Throws `std::invalid_argument` when the dialect cannot express the host's answers and own messages, or the header
/// leaves no room for them in a frame.
void check(const host_settings& settings);

/// How often clients of a host have sent something that it cannot read. Belongs to its event loop.
struct complaints {
    std::uint64_t unreadable = 0; ///< messages
    std::uint64_t broken = 0;     ///< connections
};

/// Reads messages and answers them as `decide` says. A message that the dialect cannot read, or cannot express an
/// answer to, is logged and gets no answer; an invalid frame ends the connection. When nothing was received or sent for
/// a while it sends its own echo test, and no further one until something arrives.
///
/// The log shows of a message what `shown` gives, and its size.
class iso8583_responder final : public responder {
public:
    /// `settings` have passed `check`; these and `complaints` outlive it.
    iso8583_responder(const host_settings& settings, complaints& complaints, clock::time_point now);

    bool take(std::string_view bytes, clock::time_point now, std::string& output) override;
    void finish(std::string& output) override;
    clock::time_point due() const override;
    void speak(clock::time_point now, std::string& output) override;
    std::size_t held() const override { return held_size_; }

private:
    void answer(std::string_view bytes, clock::time_point now, std::string& output);
    void complain(std::size_t size, const iso8583::problem& problem);
    clock::time_point end_of_quiet(clock::time_point now) const;

    const host_settings& settings_;
    complaints& complaints_;
    iso8583::frame_reader frames_;
    std::multimap<clock::time_point, std::string> held_; // delayed answers
    std::size_t held_size_ = 0;
    clock::time_point echo_due_;
    unsigned trace_ = 0; // of its last own message
};

} // namespace causeway::backend
