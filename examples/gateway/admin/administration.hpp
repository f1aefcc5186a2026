/// The admin API behind its HTTP: requests in, answers out, on the thread that has the store. What
/// they change is in force before the answer is given.
#pragma once

#include <functional>
#include <memory>

#include "desk.hpp"
#include "gateway/catalogue.hpp"
#include "gateway/key_ring.hpp"
#include "gateway/store/store_thread.hpp"

namespace gateway {

/// What the store held when it was opened.
struct Opened {
  std::unique_ptr<Store> store{};
  std::vector<ModelRecord> models{};
  std::vector<KeyRecord> keys{};
  std::int64_t revision = 0;
};

/// Opens the store for a server, and reads all that a server keeps in memory.
llmroute::Result<Opened> open_for_server(const std::string& url);

/// Thread safe. `catalogue`, `ring` and `log` outlive it.
class Administration {
 public:
  /// Takes over a store whose models and keys are in force. Looks every `refresh` for what others
  /// have changed in it.
  Administration(Opened opened, llmroute::Duration refresh, Catalogue& catalogue, KeyRing& ring,
                 const Log& log);

  /// `done` is called on the store's thread.
  void answer(AdminRequest request, std::function<void(AdminAnswer)> done);

 private:
  AdminAnswer work_off(const AdminRequest& request);
  AdminAnswer change(const AdminRequest& request, const AdminDesk& desk);
  void put_models_in_force();
  void refresh();

  std::unique_ptr<Store> store_;
  std::vector<ModelRecord> models_;
  std::vector<KeyRecord> keys_;
  std::int64_t revision_;
  Catalogue& catalogue_;
  KeyRing& ring_;
  const Log& log_;
  StoreThread thread_;  // last: it uses the others
};

}  // namespace gateway
