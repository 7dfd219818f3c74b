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

/// Gathers lines, and hands them to the writer a batch at a time. Where that cannot keep up, lines are lost and
/// counted; nobody waits. Belongs to one event loop; every call is made on its thread.
class access_log final : public http::access_recorder {
public:
    /// Bytes of a batch, after which it is handed over, or, if the writer still has the other one, is full.
    static constexpr std::size_t most_in_a_batch = 256 * 1024;

    /// `writer` outlives it.
    access_log(access_writer& writer, std::shared_ptr<access_file> file, log_format format);

    /// Lines to come go to `file`, in this format.
    void use(std::shared_ptr<access_file> file, log_format format);

    void make_id(std::string& id) override;
    void record(const http::access& access, std::string_view peer) override;
    void sweep() override;

    /// Hands over what there is, and lets go of the file. Nothing may be recorded before the next `use`.
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
    std::uint64_t untold_ = 0; // of these, the ones that no batch tells yet
    std::string last_id_;
};

} // namespace causeway::service
