import type { ReactElement, ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

/** What a dialog window is drawn from. */
export interface WindowProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** What has to be said of all of it for now. */
  readonly caveat: string | null;
  readonly children: ReactNode;
  readonly actions: ReactNode;
  /** `alertdialog` for a question whose answer cannot be taken back. */
  readonly role?: "dialog" | "alertdialog";
}

/** A modal dialog: holds focus while it is open, gives it back afterwards, closes with Escape. */
export function Window(props: WindowProps): ReactElement {
  const { title, isOpen, onClose, caveat, children, actions, role = "dialog" } = props;
  return (
    <ModalOverlay
      className="cassius-calendar cc-overlay"
      isOpen={isOpen}
      isDismissable={role === "dialog"}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Modal className="cc-window">
        <Dialog role={role} className="cc-window-content">
          <header>
            <Heading slot="title" className="cc-window-title">
              {title}
            </Heading>
            <p className="cc-hint cc-caveat" role="status">
              {caveat}
            </p>
          </header>
          <div className="cc-window-body">{children}</div>
          <div className="cc-window-actions">{actions}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
