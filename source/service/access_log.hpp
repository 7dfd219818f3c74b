// The access log of one event loop.
#pragma once

#include "http/access.hpp"
#include "service/access_line.hpp"
#include "service/access_writer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace causeway::service {

/// Collects lines, and passes them to the writer in batches. If the writer cannot keep up, lines are lost and counted;
/// the event loop never waits. Belongs to one event loop; every call is made on its thread.
class access_log final : public http::access_recorder {
public:
    /// Bytes in a batch, at which it is passed on, or, if the writer still has the other one, is full.
    static constexpr std::size_t most_in_a_batch = 256 * 1024;

    /// `writer` outlives it.
    access_log(access_writer& writer, std::shared_ptr<access_file> file, log_format format);

    /// From now on lines go to `file`, in this format.
    void use(std::shared_ptr<access_file> file, log_format format);

    void make_id(std::string& id) override;
    void record(const http::access& access, std::string_view peer) override;
    void sweep() override;

    /// Passes on what there is, and releases the file. Nothing may be recorded before the next `use`.
    void flush();

    /// How many lines have been lost since the start.
    std::uint64_t lost() const noexcept;

private:
    access_batch& filling() const noexcept { return *batches_[filling_]; }
    bool is_with_writer(std::size_t batch) const noexcept { return batches_[batch]->with_writer.load(); }
    bool hand_over();
    void send();

    access_writer& writer_;
    std::shared_ptr<access_file> file_;
    log_format format_;
    access_line line_;
    std::array<std::shared_ptr<access_batch>, 2> batches_;
    std::size_t filling_ = 0;
    std::uint64_t lost_ = 0;   // because both batches were full
    std::uint64_t untold_ = 0; // of these, the ones that no batch reports yet
    std::string last_id_;
};

} // namespace causeway::service
